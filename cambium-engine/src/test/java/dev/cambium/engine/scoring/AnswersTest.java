package dev.cambium.engine.scoring;

import static dev.cambium.model.Judgement.RIGHT;
import static dev.cambium.model.Judgement.UNDECIDABLE;
import static dev.cambium.model.Judgement.WRONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.cambium.model.Item;
import dev.cambium.model.Judgement;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.AlphaChars;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AnswersTest {

  private static final ObjectMapper MAPPER = new ObjectMapper();

  private static Item item(String answer) {
    return new Item("i", null, List.of(dev.cambium.model.Message.user("q")), answer, null, null);
  }

  @Test
  void exactMatchIgnoresOuterWhiteSpaceOnly() {
    assertThat(AnswerJudge.exact(item("card_lost"), " card_lost\n")).isEqualTo(RIGHT);
    assertThat(AnswerJudge.exact(item(" card_lost"), "card_lost")).isEqualTo(RIGHT);
    assertThat(AnswerJudge.exact(item("card_lost"), "card lost")).isEqualTo(WRONG);
    assertThat(AnswerJudge.exact(item("a  b"), "a b")).isEqualTo(WRONG);
    assertThat(AnswerJudge.exact(item("Yes"), "yes")).isEqualTo(WRONG);
    assertThat(AnswerJudge.exact(item(null), "x")).isEqualTo(UNDECIDABLE);
    assertThat(AnswerJudge.exact(item(" "), "x")).isEqualTo(UNDECIDABLE);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "The total is 42.|42",
        "1,234.50 euros|1234.5",
        "1, 2, 3|3",
        "1,2,3|3",
        "12 - 5 = 7|7",
        "12-5|5",
        "minus: -5|-5",
        "(-5)|-5",
        "−8|-8",
        "-$5|-5",
        "$1,000,000|1000000",
        ".5|0.5",
        "1e3|1000",
        "2.50|2.5",
        "we need 3 apples|3",
        "#### 18|18",
        "5%|5",
        "0012|12",
        "x2 = 9|9",
      })
  void findsTheLastNumber(String text, BigDecimal expected) {
    assertThat(Numbers.last(text))
        .hasValueSatisfying(n -> assertThat(n).isEqualByComparingTo(expected));
  }

  @Test
  void findsNoNumberWhereThereIsNone() {
    for (String text : List.of("", "none", "-", ".", "e", ",", "$")) {
      assertThat(Numbers.last(text)).as(text).isEmpty();
    }
    assertThat(Numbers.last("9".repeat(5000))).isPresent();
  }

  @Property(tries = 300)
  void aNumberIsFoundBehindAnyWords(
      @ForAll @AlphaChars @StringLength(max = 10) String before, @ForAll int number) {
    assertThat(Numbers.last(before + " " + number + " " + before)).contains(new BigDecimal(number));
    assertThat(Numbers.judge(item("so: " + number), before + " = " + number + "."))
        .isEqualTo(RIGHT);
    assertThat(Numbers.judge(item("" + number), "" + (number + 1L))).isEqualTo(WRONG);
  }

  @Test
  void numericNeedsANumberToCompareWith() {
    assertThat(Numbers.judge(item("none"), "5")).isEqualTo(UNDECIDABLE);
    assertThat(Numbers.judge(item(null), "5")).isEqualTo(UNDECIDABLE);
    assertThat(Numbers.judge(item("5"), "five")).isEqualTo(WRONG);
    assertThat(Numbers.judge(item("5"), "5.00")).isEqualTo(RIGHT);
  }

  private static Judgement json(String answer, String output) {
    return new JsonAnswers(null).judge(item(answer), output);
  }

  @Test
  void jsonIsComparedByValue() {
    assertThat(json("{\"a\":1,\"b\":[true,null]}", " {\"b\": [true, null], \"a\": 1.0}\n"))
        .isEqualTo(RIGHT);
    assertThat(json("{\"a\":1}", "{\"a\":1,\"b\":2}")).isEqualTo(WRONG);
    assertThat(json("{\"a\":1,\"b\":2}", "{\"a\":1}")).isEqualTo(WRONG);
    assertThat(json("{\"a\":null}", "{\"b\":null}")).isEqualTo(WRONG);
    assertThat(json("[1,2]", "[2,1]")).isEqualTo(WRONG);
    assertThat(json("{\"a\":\"1\"}", "{\"a\":1}")).isEqualTo(WRONG);
    assertThat(json("{\"a\":1}", "{\"a\":1} and more")).isEqualTo(WRONG);
    assertThat(json("{\"a\":1}", "{\"a\":1,\"a\":1}")).isEqualTo(WRONG);
    assertThat(json("{\"a\":1}", "```json\n{\"a\":1}\n```")).isEqualTo(WRONG);
    assertThat(json("1e400", "1E+400")).isEqualTo(RIGHT);
    assertThat(json("{\"a\":1}", "[".repeat(100_000))).isEqualTo(WRONG);
    assertThat(json("{a", "{\"a\":1}")).isEqualTo(UNDECIDABLE);
    assertThat(json(null, "{}")).isEqualTo(UNDECIDABLE);
  }

  private static JsonNode random(Random random, int depth) {
    JsonNodeFactory f = JsonNodeFactory.instance;
    return switch (random.nextInt(depth > 3 ? 4 : 6)) {
      case 0 -> f.numberNode(random.nextInt(5));
      case 1 -> f.textNode("t" + random.nextInt(3));
      case 2 -> f.booleanNode(random.nextBoolean());
      case 3 -> f.nullNode();
      case 4 -> {
        var array = f.arrayNode();
        for (int i = random.nextInt(4); i > 0; i--) {
          array.add(random(random, depth + 1));
        }
        yield array;
      }
      default -> {
        var object = f.objectNode();
        for (int i = random.nextInt(4); i > 0; i--) {
          object.set("k" + random.nextInt(9), random(random, depth + 1));
        }
        yield object;
      }
    };
  }

  private static JsonNode shuffled(JsonNode node, Random random) {
    if (node.isArray()) {
      var array = JsonNodeFactory.instance.arrayNode();
      node.forEach(n -> array.add(shuffled(n, random)));
      return array;
    }
    if (!node.isObject()) {
      return node;
    }
    List<String> names = new ArrayList<>();
    node.fieldNames().forEachRemaining(names::add);
    Collections.shuffle(names, random);
    ObjectNode object = JsonNodeFactory.instance.objectNode();
    names.forEach(n -> object.set(n, shuffled(node.get(n), random)));
    return object;
  }

  @Property(tries = 300)
  void jsonAgreesWithTheLibrarysOwnEquality(@ForAll long seed) {
    Random random = new Random(seed);
    JsonNode a = random(random, 0);
    JsonNode b = random.nextBoolean() ? shuffled(a, random) : random(random, 0);
    assertThat(JsonAnswers.equal(a, b)).isEqualTo(a.equals(b));
    assertThat(JsonAnswers.equal(a, shuffled(a, random))).isTrue();
  }

  @Test
  void jsonMustSatisfyTheSchema() throws Exception {
    JsonNode schema =
        MAPPER.readTree(
            "{\"type\":\"object\",\"required\":[\"n\"],"
                + "\"properties\":{\"n\":{\"type\":\"integer\",\"minimum\":1}}}");
    JsonAnswers judge = new JsonAnswers(schema);
    assertThat(judge.judge(item(null), "{\"n\": 3}")).isEqualTo(RIGHT);
    assertThat(judge.judge(item(null), "{\"n\": 0}")).isEqualTo(WRONG);
    assertThat(judge.judge(item(null), "{}")).isEqualTo(WRONG);
    assertThat(judge.judge(item("{\"n\":3}"), "{\"n\": 3}")).isEqualTo(RIGHT);
    assertThat(judge.judge(item("{\"n\":3}"), "{\"n\": 4}")).isEqualTo(WRONG);
    assertThat(judge.judge(item("{\"n\":0}"), "{\"n\": 0}")).isEqualTo(WRONG);
    assertThatThrownBy(() -> new JsonAnswers(MAPPER.readTree("{\"$ref\":\"#/nowhere\"}")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("schema");
  }

  @Test
  void aTieOrNotANumberIsNoChoice() {
    assertThat(Choices.best(new float[] {-3, -1, -2})).isEqualTo(1);
    assertThat(Choices.best(new float[] {-1, -1, -2})).isEqualTo(-1);
    assertThat(Choices.best(new float[] {-2, -2, -1})).isEqualTo(2);
    assertThat(Choices.best(new float[] {-2, Float.NaN, -1})).isEqualTo(-1);
    assertThat(Choices.best(new float[] {Float.NEGATIVE_INFINITY, Float.NEGATIVE_INFINITY}))
        .isEqualTo(-1);
  }
}
