package dev.cambium.engine.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.cambium.artifact.huggingface.Problem;
import dev.cambium.artifact.huggingface.Problem.Severity;
import dev.cambium.engine.text.TemplateException.Reason;
import dev.cambium.model.Message;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What would go wrong with a model's tokenizer and chat template, found by using them once, before
 * the model is let in. What no conversation would survive is refused; of what only some would not,
 * a person is warned.
 */
public final class TextInspection {

  private static final Message SYSTEM = Message.system("Answer in one word.");
  private static final Message QUESTION = Message.user("What is the colour of the sky?");
  private static final Message ANSWER = Message.assistant("It is blue.");
  private static final String TOOL =
      "{\"type\": \"function\", \"function\": {\"name\": \"look_up\", \"description\": \"Looks it"
          + " up.\", \"parameters\": {\"type\": \"object\", \"properties\": {\"word\": {\"type\":"
          + " \"string\"}}}}}";

  private final List<Problem> problems = new ArrayList<>();
  private final String file;
  private final String key;

  private TextInspection(Path model) {
    boolean own = Files.isRegularFile(model.resolve(ModelText.TEMPLATE));
    this.file = own ? ModelText.TEMPLATE : ModelText.TOKENIZER_CONFIG;
    this.key = own ? "" : "chat_template";
  }

  /**
   * Looks at a model directory whose files are in order as such.
   *
   * @return refusals and warnings, in the order found
   */
  public static List<Problem> of(Path model) {
    TextInspection inspection = new TextInspection(model);
    try (RowEncoder encoder = RowEncoder.load(model)) {
      if (encoder.hasTemplate()) {
        inspection.conversations(encoder);
      }
    } catch (IOException e) {
      inspection.add(
          Severity.REFUSED,
          ModelText.TOKENIZER,
          "",
          String.valueOf(e.getMessage()),
          "a tokenizer that can be loaded",
          "Save it again (in Python: tokenizer.save_pretrained).");
    } catch (IllegalStateException e) {
      inspection.add(
          Severity.REFUSED,
          ProbeFile.NAME,
          "",
          String.valueOf(e.getMessage()),
          "the ids that were stored with the model",
          "Give the tokenizer and the template that the model was made with.");
    } catch (TemplateException e) {
      inspection.refuse(e);
    }
    return List.copyOf(inspection.problems);
  }

  private void conversations(RowEncoder encoder) {
    int[] prompt = encoder.prompt(List.of(QUESTION), List.of());
    beginning(encoder, prompt);
    try {
      encoder.checkTemplate(List.of(QUESTION, ANSWER));
      several(encoder);
    } catch (TemplateException e) {
      answer(e);
    }
    system(encoder);
    tools(encoder);
  }

  private void refuse(TemplateException e) {
    template(
        Severity.REFUSED,
        e.getMessage(),
        "a template that renders one question of a user",
        e.reason() == Reason.RAISED
            ? "Correct the template: without a question nothing can be asked."
            : e.reason() == Reason.ABSENT
                ? "Call one of them default."
                : "Correct the template; what is named as not supported can be written without it.");
  }

  /** BOS written by the template, and by the tokenizer's post-processor as well. */
  private void beginning(RowEncoder encoder, int[] prompt) {
    Tokenizer tokenizer = encoder.tokenizer();
    Optional<Integer> bos = tokenizer.bos();
    if (bos.isEmpty() || prompt.length == 0 || prompt[0] != bos.get()) {
      return;
    }
    String token = tokenizer.decode(new int[] {bos.get()}, false);
    if (prompt.length > 1 && prompt[1] == bos.get()) {
      template(
          Severity.WARNING,
          "BOS (" + token + ") twice at the beginning of a conversation",
          "it once",
          "Take one of the two out of the template, unless the model was trained with both.");
    }
    int[] document = tokenizer.encodeDocument("x");
    if (document.length > 0 && document[0] == bos.get()) {
      template(
          Severity.WARNING,
          "BOS ("
              + token
              + ") from the template, and from the post-processor of "
              + ModelText.TOKENIZER
              + " as well",
          "one of the two to write it",
          "Here it is written once: conversations are encoded without the post-processor. Do the"
              + " same where you serve the exported model, or it begins with two: in Python,"
              + " tokenizer(text, add_special_tokens=False), or apply_chat_template with"
              + " tokenize=True.");
    }
  }

  private void answer(TemplateException e) {
    if (e.reason() == Reason.NO_END_OF_TURN) {
      template(
          Severity.WARNING,
          e.getMessage(),
          "a token at which generation stops, at the end of each answer",
          "Add the id of the token that ends a turn to eos_token_id in generation_config.json."
              + " Until then conversations are refused as training rows, and answers go on to the"
              + " longest length.");
    } else {
      template(
          Severity.REFUSED,
          e.getMessage(),
          "a question and its answer to begin as the question alone does",
          "Correct the template: what it writes for add_generation_prompt must be what it writes"
              + " before the same answer in a conversation, or the model is not trained on what it"
              + " is asked.");
    }
  }

  private void several(RowEncoder encoder) {
    try {
      encoder.checkTemplate(List.of(QUESTION, ANSWER, QUESTION, ANSWER));
    } catch (TemplateException e) {
      template(
          Severity.WARNING,
          e.getMessage(),
          "conversations with several answers to begin as their beginnings do",
          "Train on conversations with one answer each: rows with several are refused. Or change"
              + " the template so that earlier answers are written as the last one is.");
    }
  }

  private void system(RowEncoder encoder) {
    String remedy =
        "Give applications on this line no 'system'; put the instruction into their 'prompt'.";
    try {
      int[] prompt = encoder.prompt(List.of(SYSTEM, QUESTION), List.of());
      if (!encoder.tokenizer().decode(prompt, false).contains(SYSTEM.content())) {
        template(
            Severity.WARNING,
            "a system turn that the template leaves out",
            "its text in what the model reads",
            remedy);
      }
    } catch (TemplateException e) {
      template(Severity.WARNING, e.getMessage(), "a template that takes a system turn", remedy);
    }
  }

  private void tools(RowEncoder encoder) {
    try {
      JsonNode tool = ModelText.MAPPER.readTree(TOOL);
      encoder.prompt(List.of(QUESTION), List.of((ObjectNode) tool));
    } catch (TemplateException e) {
      template(
          Severity.WARNING,
          e.getMessage(),
          "a template that takes tools",
          "Give applications on this line no 'tools'.");
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private void template(
      Severity severity,
      @org.jspecify.annotations.Nullable String found,
      String expected,
      String remedy) {
    add(severity, file, key, String.valueOf(found), expected, remedy);
  }

  private void add(
      Severity severity, String in, String field, String found, String expected, String remedy) {
    problems.add(new Problem(severity, in, field, found, expected, remedy));
  }
}
