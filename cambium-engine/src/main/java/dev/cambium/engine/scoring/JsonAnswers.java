package dev.cambium.engine.scoring;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import dev.cambium.model.Item;
import dev.cambium.model.Judgement;
import java.util.Iterator;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Answers that are JSON: equal as values, whatever the order of members and the spelling of
 * numbers. With a schema they must satisfy it too; where an item has no answer, that alone decides.
 */
final class JsonAnswers implements AnswerJudge {

  private static final JsonMapper MAPPER =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .build();

  private final @Nullable Schema schema;

  /**
   * A judge.
   *
   * @throws IllegalArgumentException if the schema is not a valid schema
   */
  JsonAnswers(@Nullable JsonNode schema) {
    this.schema = schema == null ? null : compiled(schema);
  }

  private static Schema compiled(JsonNode schema) {
    try {
      Schema compiled =
          SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12).getSchema(schema);
      // References are resolved at the first use: better now than at the first item.
      compiled.initializeValidators();
      return compiled;
    } catch (RuntimeException e) {
      throw new IllegalArgumentException(
          "the scorer's schema is not a JSON Schema: " + e.getMessage(), e);
    }
  }

  @Override
  public Judgement judge(Item item, String output) {
    String answer = item.answer();
    Optional<JsonNode> expected = answer == null ? Optional.empty() : parse(answer);
    if (expected.isEmpty() && (answer != null || schema == null)) {
      return Judgement.UNDECIDABLE;
    }
    Optional<JsonNode> found = parse(output);
    if (found.isEmpty()) {
      return Judgement.WRONG;
    }
    if (schema != null && !schema.validate(found.get()).isEmpty()) {
      return Judgement.WRONG;
    }
    return AnswerJudge.of(expected.isEmpty() || equal(expected.get(), found.get()));
  }

  private static Optional<JsonNode> parse(String text) {
    try {
      JsonNode node = MAPPER.readTree(text);
      return node == null || node.isMissingNode() ? Optional.empty() : Optional.of(node);
    } catch (JsonProcessingException e) {
      return Optional.empty();
    }
  }

  /** Whether two values are equal; numbers by their value. */
  static boolean equal(JsonNode a, JsonNode b) {
    if (a.isNumber() && b.isNumber()) {
      return a.decimalValue().compareTo(b.decimalValue()) == 0;
    }
    if (a.getNodeType() != b.getNodeType() || a.size() != b.size()) {
      return false;
    }
    if (a.isObject()) {
      for (Iterator<Map.Entry<String, JsonNode>> at = a.fields(); at.hasNext(); ) {
        Map.Entry<String, JsonNode> member = at.next();
        JsonNode other = b.get(member.getKey());
        if (other == null || !equal(member.getValue(), other)) {
          return false;
        }
      }
      return true;
    }
    if (a.isArray()) {
      for (int i = 0; i < a.size(); i++) {
        if (!equal(a.get(i), b.get(i))) {
          return false;
        }
      }
      return true;
    }
    return a.equals(b);
  }
}
