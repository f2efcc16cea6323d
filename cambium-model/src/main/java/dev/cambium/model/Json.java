package dev.cambium.model;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.UncheckedIOException;

/**
 * The JSON form of Cambium's own values: kebab-case names, absent instead of null, unknown fields
 * refused. Digests are always taken over the canonical form (RFC 8785).
 */
public final class Json {

  private static final JsonMapper MAPPER =
      JsonMapper.builder()
          .propertyNamingStrategy(PropertyNamingStrategies.KEBAB_CASE)
          .serializationInclusion(JsonInclude.Include.NON_ABSENT)
          .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(MapperFeature.ACCEPT_CASE_INSENSITIVE_ENUMS)
          .disable(SerializationFeature.WRITE_DATES_AS_TIMESTAMPS)
          .addModule(new com.fasterxml.jackson.datatype.jsr310.JavaTimeModule())
          .build();

  private Json() {}

  /** The mapper of every value of this package. Shared: do not configure it further. */
  public static JsonMapper mapper() {
    return MAPPER;
  }

  /** The canonical bytes of a value (RFC 8785, UTF-8). */
  public static byte[] canonical(Object value) {
    try {
      return CanonicalWriter.write(MAPPER, value);
    } catch (IOException e) {
      throw new UncheckedIOException("no JSON form: " + value.getClass().getName(), e);
    }
  }

  /** The digest of a value's canonical bytes. */
  public static Digest digest(Object value) {
    return Digest.of(canonical(value));
  }

  /**
   * Reads a value from JSON.
   *
   * @throws IllegalArgumentException if the bytes are not JSON, or not of that type
   */
  public static <T> T read(byte[] json, Class<T> type) {
    try {
      return MAPPER.readValue(json, type);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(
          "not a valid " + type.getSimpleName() + ": " + e.getOriginalMessage(), e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
