package dev.cambium.engine.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.cambium.engine.text.TemplateException.Reason;
import dev.cambium.model.Message;
import dev.cambium.model.ToolCall;
import dev.cambium.model.VerbatimJson;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class ChatTemplateTest {

  private static final Map<String, String> NAMED = Map.of("bos_token", "<s>", "eos_token", "</s>");

  /** What transformers made of the same; {@code src/test/python/reference_templates.py}. */
  private static JsonNode reference() throws IOException {
    try (InputStream in = ChatTemplateTest.class.getResourceAsStream("templates.json")) {
      return ModelText.MAPPER.readTree(in);
    }
  }

  private static String source(String name) throws IOException {
    try (InputStream in =
        ChatTemplateTest.class.getResourceAsStream("templates/" + name + ".jinja")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  @TestFactory
  Stream<DynamicTest> rendersAsTheReferenceDoes() throws IOException {
    JsonNode reference = reference();
    List<DynamicTest> tests = new ArrayList<>();
    Map<String, List<JsonNode>> byTemplate = new TreeMap<>();
    for (JsonNode one : reference.path("cases")) {
      byTemplate.computeIfAbsent(one.path("template").asText(), n -> new ArrayList<>()).add(one);
    }
    for (Map.Entry<String, List<JsonNode>> entry : byTemplate.entrySet()) {
      ChatTemplate template = ChatTemplate.of(source(entry.getKey()), NAMED);
      for (JsonNode one : entry.getValue()) {
        String name =
            "%s, messages %d, tools %d, generate %s"
                .formatted(
                    entry.getKey(),
                    one.path("messages").asInt(),
                    one.path("tools").asInt(),
                    one.path("generate").asBoolean());
        tests.add(DynamicTest.dynamicTest(name, () -> check(reference, one, template)));
      }
    }
    assertThat(tests).hasSizeGreaterThan(350);
    return tests.stream();
  }

  private static List<Message> messages(JsonNode reference, int number) {
    List<Message> messages = new ArrayList<>();
    for (JsonNode m : reference.path("conversations").path(number)) {
      List<ToolCall> calls = new ArrayList<>();
      for (JsonNode call : m.path("tool_calls")) {
        JsonNode function = call.path("function");
        calls.add(
            new ToolCall(
                call.path("id").asText(null),
                function.path("name").asText(),
                VerbatimJson.of(function.path("arguments"))));
      }
      messages.add(
          new Message(
              m.path("role").asText(),
              m.path("content").asText(),
              calls,
              m.path("tool_call_id").asText(null),
              m.path("name").asText(null)));
    }
    return messages;
  }

  private static List<JsonNode> tools(JsonNode reference, int number) {
    List<JsonNode> tools = new ArrayList<>();
    reference.path("tools").path(number).forEach(tools::add);
    return tools;
  }

  private static void check(JsonNode reference, JsonNode one, ChatTemplate template) {
    List<Message> messages = messages(reference, one.path("messages").asInt());
    List<JsonNode> tools = tools(reference, one.path("tools").asInt());
    boolean generate = one.path("generate").asBoolean();
    if (one.has("error")) {
      assertThatThrownBy(() -> template.render(messages, tools, generate))
          .isInstanceOf(TemplateException.class)
          .hasMessageContaining(
              one.path("error").asText().replace("'dict object' has no attribute 'id'", "'id'"))
          .satisfies(
              e ->
                  assertThat(((TemplateException) e).reason())
                      .isEqualTo(
                          one.path("kind").asText().equals("TemplateError")
                              ? Reason.RAISED
                              : Reason.FAILED));
    } else {
      assertThat(template.render(messages, tools, generate)).isEqualTo(one.path("text").asText());
    }
  }

  /** Of the language: what Jinja fails on must fail here, and all else come out the same. */
  @TestFactory
  Stream<DynamicTest> readsJinjaAsTheReferenceDoes() throws IOException {
    JsonNode reference = reference();
    List<Message> messages = messages(reference, 2);
    List<JsonNode> tools = tools(reference, 1);
    List<DynamicTest> tests = new ArrayList<>();
    for (JsonNode one : reference.path("pieces")) {
      String piece = one.path("piece").asText();
      tests.add(
          DynamicTest.dynamicTest(
              piece,
              () -> {
                if (one.has("error")) {
                  assertThatThrownBy(
                          () -> ChatTemplate.of(piece, NAMED).render(messages, tools, true))
                      .isInstanceOf(TemplateException.class)
                      .hasMessageStartingWith("the chat template failed: line 1: ");
                } else {
                  assertThat(ChatTemplate.of(piece, NAMED).render(messages, tools, true))
                      .isEqualTo(one.path("text").asText());
                }
              }));
    }
    assertThat(tests).hasSizeGreaterThan(90);
    return tests.stream();
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
            "{% macro f(n) %}{{ f(n + 1) }}{{ f(n + 1) }}{% endmacro %}{{ f(0) }}",
            "{% set n = namespace(x=[1]) %}{% for a in range(99) %}{% set n.x = [n.x, n.x] %}"
                + "{% endfor %}{{ n.x }}",
            "{% set n = namespace(x=[1], y=[1]) %}{% for a in range(99) %}"
                + "{% set n.x = [n.x, n.x] %}{% set n.y = [n.y, n.y] %}{% endfor %}"
                + "{{ n.x == n.y }}",
            "{% set s = 'x' * 999999 %}{% for a in range(99999) %}{% set t = s.upper() %}"
                + "{% endfor %}",
            "{{ ('x' * 9999).replace('x', 'y' * 9999) }}",
            "{{ 'x'.center(99999999999) }}",
            "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
            "{{ " + "(".repeat(99999) + " }}",
            "{{ range(999999) }}")) {
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
  void refusesByNameWhatItDoesNotKnow() {
    assertThat(refused("a\n{{ messages|urlize }}"))
        .hasMessage("the chat template failed: line 2: the filter 'urlize' is not supported");
    assertThat(refused("{% include 'other' %}"))
        .hasMessageContaining("the tag 'include' is not supported");
    assertThat(refused("{{ 'a'.encode() }}"))
        .hasMessageContaining("the method 'encode' of strings is not supported");
    assertThat(refused("{{ 1 is escaped }}"))
        .hasMessageContaining("the test 'escaped' is not supported");
    assertThat(refused("{{ '{:>9}'.format('a') }}"))
        .hasMessageContaining("the format '{:>9}' is not supported");
    assertThat(refused("{{ 9 ** 99 }}")).hasMessageContaining("more than 63 bits");
    assertThat(refused("{{ 'x'|tojson(skipkeys=true) }}"))
        .hasMessageContaining("the argument 'skipkeys' is not supported");
    assertThat(refused("{{ strftime_now('%Y') }}"))
        .hasMessageContaining("'strftime_now' is undefined");
  }

  @Test
  void readsTheTemplateOfADirectory(@TempDir Path dir) throws IOException {
    JsonNode reference = reference();
    assertThat(ChatTemplate.load(dir, NAMED)).isEmpty();
    for (String name : List.of("llama3", "mistral", "qwen", "gemma")) {
      String source = source(name);
      JsonNode one =
          reference.path("cases").findParents("template").stream()
              .filter(c -> c.path("template").asText().equals(name) && c.has("text"))
              .findFirst()
              .orElseThrow();
      Files.deleteIfExists(dir.resolve("chat_template.jinja"));
      ObjectNode config = ModelText.MAPPER.createObjectNode();
      Path file = dir.resolve("tokenizer_config.json");
      ModelText.MAPPER.writeValue(file.toFile(), config.put("chat_template", source));
      check(reference, one, ChatTemplate.load(dir, NAMED).orElseThrow());

      ArrayNode several = config.putArray("chat_template");
      several.addObject().put("name", "rag").put("template", "R");
      several.addObject().put("name", "default").put("template", source);
      ModelText.MAPPER.writeValue(file.toFile(), config);
      check(reference, one, ChatTemplate.load(dir, NAMED).orElseThrow());

      ModelText.MAPPER.writeValue(file.toFile(), config.put("chat_template", "other"));
      Files.writeString(dir.resolve("chat_template.jinja"), source);
      check(reference, one, ChatTemplate.load(dir, NAMED).orElseThrow());
    }
  }

  @Test
  void choosesAmongNamedTemplatesAsTheReferenceDoes(@TempDir Path dir) throws IOException {
    JsonNode reference = reference();
    ObjectNode config = ModelText.MAPPER.createObjectNode();
    ArrayNode several = config.putArray("chat_template");
    for (Map.Entry<String, JsonNode> named : reference.path("named").properties()) {
      several.addObject().put("name", named.getKey()).set("template", named.getValue());
    }
    ModelText.MAPPER.writeValue(dir.resolve("tokenizer_config.json").toFile(), config);
    ChatTemplate template = ChatTemplate.load(dir, NAMED).orElseThrow();
    for (JsonNode one : reference.path("ofNamed")) {
      List<JsonNode> tools = tools(reference, one.path("tools").asInt());
      assertThat(template.render(messages(reference, 0), tools, false))
          .isEqualTo(one.path("text").asText());
    }
    several.remove(0);
    ModelText.MAPPER.writeValue(dir.resolve("tokenizer_config.json").toFile(), config);
    assertThatThrownBy(() -> ChatTemplate.load(dir, NAMED))
        .isInstanceOf(TemplateException.class)
        .hasMessage(
            "the chat templates in tokenizer_config.json are [tool_use], none is called default");
  }
}
