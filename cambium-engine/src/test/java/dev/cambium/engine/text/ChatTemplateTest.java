package dev.cambium.engine.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.cambium.engine.text.TemplateException.Reason;
import dev.cambium.model.Message;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class ChatTemplateTest {

  private static final Map<String, String> NAMED = Map.of("bos_token", "<s>", "eos_token", "</s>");

  /** What Python's Jinja with transformers' settings made of the same templates and messages. */
  private static JsonNode reference() throws IOException {
    try (InputStream in = ChatTemplateTest.class.getResourceAsStream("templates.json")) {
      return ModelText.MAPPER.readTree(in);
    }
  }

  @TestFactory
  Stream<DynamicTest> rendersAsTheReferenceDoes() throws IOException {
    JsonNode reference = reference();
    List<DynamicTest> tests = new ArrayList<>();
    for (JsonNode one : reference.path("cases")) {
      String name =
          "%s, messages %d, tools %d, generate %s"
              .formatted(
                  one.path("template").asText(),
                  one.path("messages").asInt(),
                  one.path("tools").asInt(),
                  one.path("generate").asBoolean());
      tests.add(DynamicTest.dynamicTest(name, () -> check(reference, one)));
    }
    assertThat(tests).hasSizeGreaterThan(50);
    return tests.stream();
  }

  private static void check(JsonNode reference, JsonNode one) {
    ChatTemplate template =
        ChatTemplate.of(
            reference.path("templates").path(one.path("template").asText()).asText(), NAMED);
    List<Message> messages = new ArrayList<>();
    for (JsonNode m : reference.path("messages").path(one.path("messages").asInt())) {
      messages.add(new Message(m.path("role").asText(), m.path("content").asText()));
    }
    List<JsonNode> tools = new ArrayList<>();
    reference.path("tools").path(one.path("tools").asInt()).forEach(tools::add);
    boolean generate = one.path("generate").asBoolean();
    if (one.has("error")) {
      assertThatThrownBy(() -> template.render(messages, tools, generate))
          .isInstanceOf(TemplateException.class)
          .hasMessageContaining(one.path("error").asText())
          .satisfies(e -> assertThat(((TemplateException) e).reason()).isEqualTo(Reason.RAISED));
    } else {
      assertThat(template.render(messages, tools, generate)).isEqualTo(one.path("text").asText());
    }
  }

  private static TemplateException refused(String source) {
    try {
      String text =
          ChatTemplate.of(source, NAMED).render(List.of(Message.user("hi")), List.of(), false);
      throw new AssertionError("rendered " + text.length() + " characters");
    } catch (TemplateException e) {
      return e;
    }
  }

  @Test
  @Timeout(60)
  void stopsTemplatesThatDoNotEnd() {
    SoftAssertions softly = new SoftAssertions();
    for (String source :
        List.of(
            "{% for a in range(9999) %}{% for b in range(9999) %}{% for c in range(9999) %}"
                + "{% set x = a %}{% endfor %}{% endfor %}{% endfor %}",
            "{% set n = namespace(x='aaaaaaaaaaaaaaaa') %}{% for a in range(40) %}"
                + "{% set n.x = n.x + n.x %}{% endfor %}{{ n.x }}",
            "{% for a in range(99999) %}{{ messages|tojson * 10 }}{{ 'x' * 1000 }}{% endfor %}",
            "{% macro f(n) %}{{ f(n + 1) }}{{ f(n + 1) }}{% endmacro %}{{ f(0) }}")) {
      softly.assertThat(refused(source).reason()).as(source).isIn(Reason.UNBOUNDED, Reason.FAILED);
    }
    softly.assertAll();
  }

  @Test
  void namesWhatIsWrongWithATemplate() {
    assertThat(refused("{% if %}x").reason()).isEqualTo(Reason.FAILED);
    assertThat(refused("{% nonsense %}").reason()).isEqualTo(Reason.FAILED);
    assertThat(refused("{% include 'other' %}").reason()).isEqualTo(Reason.FAILED);
    assertThat(refused("{{ today() }}").reason()).isEqualTo(Reason.FAILED);
    assertThat(refused("{{ messages|shuffle }}").reason()).isEqualTo(Reason.FAILED);
    assertThat(refused("{{ raise_exception('no such role') }}"))
        .hasMessageContaining("no such role")
        .extracting(TemplateException::reason)
        .isEqualTo(Reason.RAISED);
  }

  @Test
  void reachesNothingOfJava() {
    SoftAssertions softly = new SoftAssertions();
    for (String source :
        List.of(
            "{{ ''.getClass().forName('java.lang.Runtime') }}",
            "{{ messages.getClass().getName() }}",
            "{{ messages.clear() }}",
            "{{ ''.class.name }}",
            "{{ 'a'.getBytes() }}")) {
      String out;
      try {
        out = ChatTemplate.of(source, NAMED).render(List.of(Message.user("hi")), List.of(), false);
      } catch (TemplateException e) {
        out = "";
      }
      softly.assertThat(out).as(source).doesNotContain("java").doesNotContain("[B");
    }
    softly.assertAll();
  }

  @Test
  void whatAMessageHoldsIsNeverEvaluated() {
    String hostile = "{{ 7 * 7 }}{% for x in range(9) %}x{% endfor %}{# c #}{{ bos_token }}";
    String text =
        ChatTemplate.of("{% for m in messages %}{{ m.content }}{% endfor %}", NAMED)
            .render(List.of(Message.user(hostile)), List.of(), false);
    assertThat(text).isEqualTo(hostile);
  }

  @Test
  void readsTheTemplateOfADirectory(@TempDir Path dir) throws IOException {
    assertThat(ChatTemplate.load(dir, NAMED)).isEmpty();
    Files.writeString(
        dir.resolve("tokenizer_config.json"),
        "{\"chat_template\": [{\"name\": \"rag\", \"template\": \"R\"},"
            + " {\"name\": \"default\", \"template\": \"D\"}]}");
    assertThat(load(dir)).isEqualTo("D");
    Files.writeString(dir.resolve("tokenizer_config.json"), "{\"chat_template\": \"C\"}");
    assertThat(load(dir)).isEqualTo("C");
    Files.writeString(dir.resolve("chat_template.jinja"), "{{ bos_token }}J\n");
    assertThat(load(dir)).isEqualTo("<s>J");
  }

  private static String load(Path dir) throws IOException {
    return ChatTemplate.load(dir, NAMED)
        .orElseThrow()
        .render(List.of(Message.user("x")), List.of(), false);
  }
}
