package dev.cambium.engine.text;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.cambium.artifact.huggingface.Problem;
import dev.cambium.artifact.huggingface.Problem.Severity;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TextInspectionTest {

  private static final String TURNS =
      "{%- for m in messages %}{{ m.role + ': ' + m.content + '<|im_end|>' }}{% endfor %}"
          + "{%- if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}";

  @TempDir Path dir;

  @BeforeEach
  void model() throws IOException {
    BpeTrainer trainer = new BpeTrainer();
    Texts.some(200, 1).forEach(trainer::add);
    trainer.train(320, dir);
    edit("tokenizer_config.json", "bos_token", "<|endoftext|>");
  }

  private void edit(String file, String key, String value) throws IOException {
    ObjectNode json = (ObjectNode) ModelText.json(dir.resolve(file));
    ModelText.MAPPER.writeValue(dir.resolve(file).toFile(), json.put(key, value));
  }

  private void template(String source) throws IOException {
    Files.writeString(dir.resolve("chat_template.jinja"), source);
  }

  private Problem only() {
    List<Problem> problems = TextInspection.of(dir);
    assertThat(problems).hasSize(1);
    return problems.get(0);
  }

  private static String sample(String name) throws IOException {
    try (InputStream in =
        TextInspectionTest.class.getResourceAsStream("templates/" + name + ".jinja")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  @Test
  void findsNothingInASoundModel() throws IOException {
    assertThat(TextInspection.of(dir)).isEmpty();
    template(sample("qwen"));
    assertThat(TextInspection.of(dir)).isEmpty();
    Files.delete(dir.resolve("chat_template.jinja"));
    Files.writeString(dir.resolve("tokenizer_config.json"), "{}");
    assertThat(TextInspection.of(dir)).isEmpty();
  }

  @Test
  void namesTwoThatWriteBos() throws IOException {
    ObjectNode tokenizer = (ObjectNode) ModelText.json(dir.resolve("tokenizer.json"));
    int bos = 0;
    for (var token : tokenizer.path("added_tokens")) {
      bos = token.path("content").asText().equals("<|endoftext|>") ? token.path("id").asInt() : bos;
    }
    String piece = "{\"Sequence\":{\"id\":\"A\",\"type_id\":0}}";
    String special = "{\"SpecialToken\":{\"id\":\"<|endoftext|>\",\"type_id\":0}}";
    String processor =
        "{\"type\":\"TemplateProcessing\",\"single\":[%s,%s],\"pair\":[%s,%s,%s],\"special_tokens\":"
            + "{\"<|endoftext|>\":{\"id\":\"<|endoftext|>\",\"ids\":[%d],\"tokens\":"
            + "[\"<|endoftext|>\"]}}}";
    tokenizer.set(
        "post_processor",
        ModelText.MAPPER.readTree(
            processor.formatted(
                special, piece, special, piece, piece.replace("\"A\"", "\"B\""), bos)));
    ModelText.MAPPER.writeValue(dir.resolve("tokenizer.json").toFile(), tokenizer);
    template(TURNS);
    assertThat(TextInspection.of(dir)).isEmpty();
    template("{{ bos_token }}" + TURNS);
    Problem problem = only();
    assertThat(problem.severity()).isEqualTo(Severity.WARNING);
    assertThat(problem.line())
        .isEqualTo(
            "chat_template.jinja: found BOS (<|endoftext|>) from the template, and from the"
                + " post-processor of tokenizer.json as well; expected one of the two to write it."
                + " Here it is written once: conversations are encoded without the post-processor."
                + " Do the same where you serve the exported model, or it begins with two: in"
                + " Python, tokenizer(text, add_special_tokens=False), or apply_chat_template with"
                + " tokenize=True.");
    template("{{ bos_token }}{{ bos_token }}" + TURNS);
    assertThat(TextInspection.of(dir))
        .extracting(Problem::found)
        .anyMatch(f -> f.startsWith("BOS (<|endoftext|>) twice"));
  }

  @Test
  void refusesATemplateWhosePromptIsNotTheBeginningOfItsAnswer() throws IOException {
    template(TURNS.replace("'assistant: '", "'model: '"));
    Problem problem = only();
    assertThat(problem.severity()).isEqualTo(Severity.REFUSED);
    assertThat(problem.found())
        .startsWith(
            "the chat template is not prefix-stable: the first 1 messages render differently alone");
    assertThat(problem.remedy()).contains("what it writes for add_generation_prompt");
  }

  @Test
  void warnsOfATemplateThatChangesEarlierAnswers() throws IOException {
    template(
        "{%- for m in messages %}{{ m.role + ': ' + ('(last)' if loop.last else '') + m.content +"
            + " '<|im_end|>' }}{% endfor %}{%- if add_generation_prompt %}{{ 'assistant: ' }}"
            + "{% endif %}");
    // Already the question differs: it is the last while it is alone.
    assertThat(only().severity()).isEqualTo(Severity.REFUSED);
    template(
        TURNS.replace(
            "m.content +",
            "('(last)' if loop.last and m.role == 'assistant' else '') + m.content +"));
    Problem problem = only();
    assertThat(problem.severity()).isEqualTo(Severity.WARNING);
    assertThat(problem.found()).contains("not prefix-stable: the first 2 messages");
    assertThat(problem.remedy()).startsWith("Train on conversations with one answer each");
  }

  @Test
  void namesWhatATemplateRaises() throws IOException {
    template("{{ raise_exception('nobody may ask') }}");
    Problem problem = only();
    assertThat(problem.severity()).isEqualTo(Severity.REFUSED);
    assertThat(problem.found())
        .isEqualTo("the chat template refuses these messages: nobody may ask");
    template(sample("gemma").replace("<end_of_turn>", "<|im_end|>"));
    problem = only();
    assertThat(problem.severity()).isEqualTo(Severity.WARNING);
    assertThat(problem.line())
        .isEqualTo(
            "chat_template.jinja: found the chat template refuses these messages: System role not"
                + " supported; expected a template that takes a system turn. Give applications on"
                + " this line no 'system'; put the instruction into their 'prompt'.");
    template(TURNS + "{% if tools %}{{ raise_exception('no tools') }}{% endif %}");
    assertThat(only().remedy()).isEqualTo("Give applications on this line no 'tools'.");
  }

  @Test
  void namesASystemTurnThatIsLeftOut() throws IOException {
    template(
        TURNS.replace(
            "{{ m.role", "{% if m.role == 'system' %}{% continue %}{% endif %}{{ m.role"));
    assertThat(only().found()).isEqualTo("a system turn that the template leaves out");
  }

  @Test
  void namesAnswersWithoutAnEnd() throws IOException {
    template(TURNS.replace("<|im_end|>", "\\n"));
    Problem problem = only();
    assertThat(problem.severity()).isEqualTo(Severity.WARNING);
    assertThat(problem.remedy()).contains("eos_token_id in generation_config.json");
  }

  @Test
  void namesWhatIsNotJinja() throws IOException {
    template("line 1\n{{ messages | urlize }}");
    Problem problem = only();
    assertThat(problem.severity()).isEqualTo(Severity.REFUSED);
    assertThat(problem.found())
        .isEqualTo("the chat template failed: line 2: the filter 'urlize' is not supported");
    Files.delete(dir.resolve("chat_template.jinja"));
    ObjectNode config = (ObjectNode) ModelText.json(dir.resolve("tokenizer_config.json"));
    ArrayNode several = config.putArray("chat_template");
    several.addObject().put("name", "rag").put("template", TURNS);
    ModelText.MAPPER.writeValue(dir.resolve("tokenizer_config.json").toFile(), config);
    problem = only();
    assertThat(problem.file()).isEqualTo("tokenizer_config.json");
    assertThat(problem.key()).isEqualTo("chat_template");
    assertThat(problem.remedy()).isEqualTo("Call one of them default.");
  }
}
