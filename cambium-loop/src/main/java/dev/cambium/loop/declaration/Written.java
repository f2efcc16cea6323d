package dev.cambium.loop.declaration;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import dev.cambium.loop.declaration.Node.Position;
import dev.cambium.model.Json;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** How records and enumerations are written in a declaration, and read back from it. */
final class Written {

  private Written() {}

  /** The names of a record's fields, in kebab case. */
  static List<String> fields(Class<?> type) {
    return Arrays.stream(type.getRecordComponents())
        .map(
            c ->
                ((PropertyNamingStrategies.KebabCaseStrategy) PropertyNamingStrategies.KEBAB_CASE)
                    .translate(c.getName()))
        .toList();
  }

  /** The written forms of an enumeration's constants. */
  static List<String> labels(Enum<?>[] values) {
    return Arrays.stream(values).map(Written::label).toList();
  }

  /** The written form of a constant. */
  static String label(Enum<?> value) {
    try {
      JsonProperty written =
          value.getDeclaringClass().getField(value.name()).getAnnotation(JsonProperty.class);
      return written == null ? value.name() : written.value();
    } catch (NoSuchFieldException e) {
      throw new AssertionError("an enumeration has its own constants", e);
    }
  }

  /**
   * The record that is written as this; null, and a problem noted, where the record refuses it.
   *
   * @param what is read, for messages, such as {@code recipe 'careful'}
   */
  static <T> @Nullable T read(
      JsonNode json, Class<T> type, Position place, String what, Problems problems) {
    try {
      return Json.mapper().treeToValue(json, type);
    } catch (JsonProcessingException e) {
      Throwable cause = e;
      while (cause.getCause() != null) {
        cause = cause.getCause();
      }
      String message =
          cause instanceof JsonProcessingException json1
              ? json1.getOriginalMessage()
              : String.valueOf(cause.getMessage());
      problems.add(place, what + ": " + message);
      return null;
    }
  }
}
