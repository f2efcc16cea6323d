package dev.cambium.loop.data;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.cambium.loop.data.Form.Malformed;
import dev.cambium.model.Message;
import dev.cambium.model.Row;
import java.nio.file.Path;
import java.util.List;

/**
 * Training data of a user's.
 *
 * <p>JSON lines ({@code .jsonl}) hold one object each: {@code {"text": …}}, {@code {"prompt": …,
 * "completion": …}}, {@code {"question": …, "answer": …}} or {@code {"messages": [{"role": …,
 * "content": …}, …]}} that ends with the assistant's turn; all with {@code id} and {@code tags} if
 * wanted. Messages may call tools ({@code tool_calls}) and answer for them ({@code tool_call_id},
 * {@code name}), and {@code tools} beside them describes these. CSV ({@code .csv}) has a header:
 * {@code prompt,completion}, {@code text,category} (the category is the completion and the tag
 * {@code intent}) or {@code text}; columns {@code id} and {@code tag:NAME} if wanted. Plain text
 * ({@code .txt}) has an empty line between rows. All are UTF-8, with or without a byte order mark.
 *
 * <p>A row without an id gets one from its content, so that the same row has the same id in every
 * file.
 *
 * @param rows what was taken, in the file's order
 * @param rejected what was not; empty unless bad rows were to be skipped
 */
public record RowFile(List<Row> rows, List<RejectedRow> rejected) {

  private static final List<String> FIELDS =
      List.of(
          "id", "text", "prompt", "completion", "question", "answer", "messages", "tools", "tags");

  public RowFile {
    rows = List.copyOf(rows);
    rejected = List.copyOf(rejected);
  }

  /**
   * Reads a file.
   *
   * @param skipBad take the good rows and list the others, instead of refusing the file
   * @throws DataException if the file cannot be read, holds no row that can be used or, without
   *     {@code skipBad}, holds one that cannot
   */
  public static RowFile read(Path file, boolean skipBad) {
    Collected<Row> collected =
        Collected.of(RawFile.read(file, "completion"), RowFile::row, Row::id, RowFile::withId);
    if (!skipBad && !collected.rejected().isEmpty()) {
      throw new DataException(
          file,
          collected.rejected(),
          "Nothing was taken. Correct these rows, or take the others with --skip-bad-rows.");
    }
    if (collected.values().isEmpty()) {
      throw collected.rejected().isEmpty()
          ? new DataException(file, "holds no rows")
          : new DataException(file, collected.rejected(), "No row is left.");
    }
    return new RowFile(collected.values(), collected.rejected());
  }

  /** The stored form: one row of canonical JSON per line, which {@link #read} reads back equal. */
  public static byte[] encode(List<Row> rows) {
    return JsonLines.encode(rows);
  }

  /**
   * Reads the stored form.
   *
   * @throws IllegalArgumentException if a line is not a row
   */
  public static List<Row> decode(byte[] stored) {
    return JsonLines.decode(stored, Row.class);
  }

  private static Row row(ObjectNode json) throws Malformed {
    Form form = new Form(json, FIELDS);
    boolean prompt = form.has("prompt") || form.has("completion");
    boolean question = form.has("question") || form.has("answer");
    int forms =
        (form.has("text") ? 1 : 0)
            + (prompt ? 1 : 0)
            + (question ? 1 : 0)
            + (form.has("messages") ? 1 : 0);
    if (forms != 1) {
      throw new Malformed(
          "",
          "must have exactly one of text, prompt with completion, question with answer, messages");
    }
    String id = form.id();
    String name = id == null ? "" : id;
    if (form.has("tools") && !form.has("messages")) {
      throw new Malformed("tools", "only goes with messages");
    }
    if (form.has("text")) {
      return new Row(name, form.required("text"), List.of(), form.tags());
    }
    if (prompt) {
      return Row.qa(name, form.required("prompt"), form.required("completion"), form.tags());
    }
    if (question) {
      return Row.qa(name, form.required("question"), form.required("answer"), form.tags());
    }
    List<Message> messages = form.messages();
    if (!messages.get(messages.size() - 1).role().equals("assistant")) {
      throw new Malformed(
          "messages", "must end with the assistant's turn, which is what is learnt");
    }
    return new Row(name, null, messages, form.tools(), form.tags());
  }

  private static Row withId(Row row, String id) {
    return new Row(id, row.text(), row.messages(), row.tools(), row.tags());
  }
}
