package dev.cambium.loop.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.cambium.loop.data.Form.Malformed;
import dev.cambium.model.Item;
import dev.cambium.model.Json;
import dev.cambium.model.Message;
import dev.cambium.model.Scorer;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Suites: the items that measure a capability.
 *
 * <p>JSON lines ({@code .jsonl}) hold one object each: {@code {"prompt": …, "answer": …}}, {@code
 * {"question": …, "answer": …}}, {@code {"messages": […], "answer": …}} or, to be measured by
 * likelihood, {@code {"text": …}}; with {@code choices}, {@code id} and {@code tags} if wanted. CSV
 * ({@code .csv}) has a header: {@code prompt,answer}, {@code text,category} or {@code text};
 * columns {@code id} and {@code tag:NAME} if wanted.
 */
public final class SuiteFile {

  private static final List<String> FIELDS =
      List.of("id", "text", "prompt", "question", "messages", "answer", "choices", "tags");
  private static final Pattern NUMBER = Pattern.compile("[-+]?[0-9][0-9,]*(\\.[0-9]+)?");

  private SuiteFile() {}

  /**
   * Reads a suite.
   *
   * @throws DataException if the file cannot be read or holds no items, or if any row is not an
   *     item or has another's id
   */
  public static List<Item> read(Path file) {
    return read(file, null);
  }

  /**
   * Reads a suite for a scorer, which says what an item needs.
   *
   * @throws DataException also if an item lacks what the scorer compares with
   */
  public static List<Item> read(Path file, @Nullable Scorer scorer) {
    Collected<Item> collected =
        Collected.of(
            RawFile.read(file, "answer"),
            json -> fitting(item(json), scorer),
            Item::id,
            SuiteFile::withId);
    if (!collected.rejected().isEmpty()) {
      throw new DataException(
          file,
          collected.rejected(),
          "A suite is taken as a whole or not at all: correct these rows, or remove them.");
    }
    if (collected.values().isEmpty()) {
      throw new DataException(
          file, "holds no items; a capability needs at least one to be measured");
    }
    return collected.values();
  }

  /** The stored form: one item of canonical JSON per line, which {@link #read} reads back equal. */
  public static byte[] encode(List<Item> items) {
    return JsonLines.encode(items);
  }

  /**
   * Reads the stored form.
   *
   * @throws IllegalArgumentException if a line is not an item
   */
  public static List<Item> decode(byte[] stored) {
    return JsonLines.decode(stored, Item.class);
  }

  private static Item item(ObjectNode json) throws Malformed {
    Form form = new Form(json, FIELDS);
    int forms =
        (form.has("text") ? 1 : 0)
            + (form.has("prompt") ? 1 : 0)
            + (form.has("question") ? 1 : 0)
            + (form.has("messages") ? 1 : 0);
    if (forms != 1) {
      throw new Malformed("", "must have exactly one of prompt, question, messages, text");
    }
    String id = form.id();
    String name = id == null ? "" : id;
    String answer = form.optional("answer");
    List<String> choices = form.texts("choices");
    if (answer != null && answer.isBlank()) {
      throw new Malformed("answer", "is empty");
    }
    if (!choices.isEmpty() && (answer == null || !choices.contains(answer))) {
      throw new Malformed("choices", "the answer must be among the choices");
    }
    if (form.has("text")) {
      return new Item(name, form.required("text"), List.of(), answer, choices, form.tags());
    }
    List<Message> messages;
    if (form.has("messages")) {
      messages = form.messages();
      if (messages.get(messages.size() - 1).role().equals("assistant")) {
        throw new Malformed(
            "messages",
            "must end before the assistant's turn; what is expected there is the answer");
      }
    } else {
      messages = List.of(Message.user(form.required(form.has("prompt") ? "prompt" : "question")));
    }
    return new Item(name, null, messages, answer, choices, form.tags());
  }

  private static Item fitting(Item item, @Nullable Scorer scorer) throws Malformed {
    if (scorer == null) {
      return item;
    }
    switch (scorer.kind()) {
      case LIKELIHOOD, BYTE_LIKELIHOOD -> {
        if (item.text() == null && item.answer() == null) {
          throw new Malformed("answer", "a scorer of likelihood needs a text, or an answer");
        }
        return item;
      }
      case CHOICE -> {
        if (item.choices().size() < 2) {
          throw new Malformed("choices", "the choice scorer needs at least two choices");
        }
      }
      case NUMERIC -> {
        if (item.answer() != null && !NUMBER.matcher(item.answer().strip()).matches()) {
          throw new Malformed(
              "answer", "the numeric scorer needs a number, not '" + item.answer() + "'");
        }
      }
      case JSON -> {
        if (item.answer() != null && !isJson(item.answer())) {
          throw new Malformed("answer", "the json scorer needs JSON, not '" + item.answer() + "'");
        }
      }
      case EXACT_MATCH -> {}
    }
    if (item.messages().isEmpty()) {
      throw new Malformed("prompt", "is missing; only scorers of likelihood measure plain text");
    }
    if (item.answer() == null) {
      throw new Malformed("answer", "is missing");
    }
    return item;
  }

  private static boolean isJson(String text) {
    try {
      return !Json.mapper().readTree(text).isMissingNode();
    } catch (JsonProcessingException e) {
      return false;
    }
  }

  private static Item withId(Item item, String id) {
    return new Item(id, item.text(), item.messages(), item.answer(), item.choices(), item.tags());
  }
}
