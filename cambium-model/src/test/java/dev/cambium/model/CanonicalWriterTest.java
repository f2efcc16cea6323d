package dev.cambium.model;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.erdtman.jcs.JsonCanonicalizer;
import org.junit.jupiter.api.Test;

/** The canonical form is that of the RFC's own implementation, whatever the value. */
class CanonicalWriterTest {

  @Property(tries = 2000)
  void everyTreeIsWrittenAsTheReferenceDoes(@ForAll("objects") JsonNode value) throws IOException {
    assertThat(text(value)).isEqualTo(reference(value));
  }

  @Provide
  Arbitrary<JsonNode> objects() {
    JsonNodeFactory make = JsonNodeFactory.instance;
    Arbitrary<String> texts =
        Arbitraries.oneOf(
            Arbitraries.strings().ofMaxLength(8),
            Arbitraries.strings()
                .withChars("\u0000\u001f\u007f\"\\/\b\f\n\r\t\u20ac")
                .ofMaxLength(6),
            Arbitraries.of("", "\ud83d\ude00", "\ufb33", "\u00f6", "a", "A", "10", "9"));
    Arbitrary<JsonNode> leaves =
        Arbitraries.oneOf(
            texts.map(make::textNode),
            Arbitraries.longs().map(make::numberNode),
            Arbitraries.integers().map(make::numberNode),
            Arbitraries.doubles().map(make::numberNode),
            Arbitraries.floats().map(make::numberNode),
            Arbitraries.bigIntegers().map(make::numberNode),
            Arbitraries.of(0.0, -0.0, 1e21, 1e-7, 5e-324, Double.MAX_VALUE, Double.NaN)
                .map(make::numberNode),
            Arbitraries.of(true, false).map(make::booleanNode),
            Arbitraries.just(make.nullNode()));
    Arbitrary<JsonNode> values =
        Arbitraries.recursive(
            () -> leaves, inner -> Arbitraries.oneOf(object(texts, inner), array(inner)), 0, 3);
    return object(texts, values);
  }

  private static Arbitrary<JsonNode> object(Arbitrary<String> names, Arbitrary<JsonNode> values) {
    return Arbitraries.maps(names, values)
        .ofMaxSize(6)
        .map(
            members -> {
              ObjectNode object = JsonNodeFactory.instance.objectNode();
              members.forEach(object::set);
              return object;
            });
  }

  private static Arbitrary<JsonNode> array(Arbitrary<JsonNode> values) {
    return values
        .list()
        .ofMaxSize(4)
        .map(
            elements -> {
              com.fasterxml.jackson.databind.node.ArrayNode array =
                  JsonNodeFactory.instance.arrayNode();
              elements.forEach(array::add);
              return array;
            });
  }

  @Test
  void membersAreSortedByTheirUnitsAtEveryDepth() {
    assertThat(text(Map.of("\ufb33", 1, "\ud83d\ude00", List.of(Map.of("b", 1, "a", 2)), "1", 3)))
        .isEqualTo("{\"1\":3,\"\ud83d\ude00\":[{\"a\":2,\"b\":1}],\"\ufb33\":1}");
  }

  @Test
  void bytesAreWrittenInBase64() throws IOException {
    Map<String, byte[]> value = Map.of("b", new byte[] {-1, 0, 1});
    assertThat(text(value)).isEqualTo("{\"b\":\"/wAB\"}").isEqualTo(reference(value));
  }

  private static String text(Object value) {
    return new String(Json.canonical(value), StandardCharsets.UTF_8);
  }

  private static String reference(Object value) throws IOException {
    return new String(
        new JsonCanonicalizer(Json.mapper().writeValueAsString(value)).getEncodedUTF8(),
        StandardCharsets.UTF_8);
  }
}
