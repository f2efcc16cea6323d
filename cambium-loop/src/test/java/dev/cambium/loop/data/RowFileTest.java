package dev.cambium.loop.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.cambium.model.Message;
import dev.cambium.model.Row;
import dev.cambium.model.ToolCall;
import dev.cambium.model.VerbatimJson;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RowFileTest {

  @TempDir Path directory;

  private Path file(String name, String text) {
    return file(name, text.getBytes(StandardCharsets.UTF_8));
  }

  private Path file(String name, byte[] bytes) {
    try {
      return Files.write(directory.resolve(name), bytes);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static DataException refusal(Path file) {
    DataException e = catchThrowableOfType(DataException.class, () -> RowFile.read(file, false));
    assertThat(e).as("the file is refused").isNotNull();
    return e;
  }

  @Test
  void everyFormOfJsonLinesIsRead() {
    Path file =
        file(
            "rows.jsonl",
            """
            {"id":"a","text":"plain"}
            {"prompt":"lost card","completion":"card_lost","tags":{"intent":"card_lost","n":3}}

            {"question":"2+2?","answer":4}
            {"messages":[{"role":"system","content":"s"},{"role":"user","content":"u"},{"role":"assistant","content":"a"}]}
            """);
    List<Row> rows = RowFile.read(file, false).rows();
    assertThat(rows).hasSize(4);
    assertThat(rows.get(0)).isEqualTo(Row.text("a", "plain"));
    assertThat(rows.get(1).messages())
        .containsExactly(Message.user("lost card"), Message.assistant("card_lost"));
    assertThat(rows.get(1).tags()).isEqualTo(Map.of("intent", "card_lost", "n", "3"));
    assertThat(rows.get(2).messages()).contains(Message.assistant("4"));
    assertThat(rows.get(3).messages()).hasSize(3);
    assertThat(rows).extracting(Row::id).doesNotHaveDuplicates();
  }

  @Test
  void toolsTheirCallsAndTheirAnswersAreRead() {
    Row row =
        RowFile.read(
                file(
                    "rows.jsonl",
                    """
                    {"id":"t","tools":[{"type":"function","function":{"name":"rate"}}],"messages":[\
                    {"role":"user","content":"euro?"},\
                    {"role":"assistant","content":null,"tool_calls":[\
                    {"id":"1","type":"function","function":{"name":"rate","arguments":"{\\"to\\":\\"EUR\\",\\"n\\":1.0}"}},\
                    {"function":{"name":"now"}}]},\
                    {"role":"tool","tool_call_id":"1","name":"rate","content":"1.08"},\
                    {"role":"assistant","content":"1.08"}]}
                    """),
                false)
            .rows()
            .get(0);
    assertThat(row.tools())
        .containsExactly(
            new VerbatimJson("{\"type\":\"function\",\"function\":{\"name\":\"rate\"}}"));
    assertThat(row.messages())
        .containsExactly(
            Message.user("euro?"),
            new Message(
                "assistant",
                "",
                List.of(
                    new ToolCall("1", "rate", new VerbatimJson("{\"to\":\"EUR\",\"n\":1.0}")),
                    new ToolCall(null, "now", new VerbatimJson("{}"))),
                null,
                null),
            new Message("tool", "1.08", List.of(), "1", "rate"),
            Message.assistant("1.08"));
    assertThat(RowFile.decode(RowFile.encode(List.of(row)))).containsExactly(row);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{'role':'user','content':'a','tool_calls':[{'function':{'name':'f'}}]}"
            + " | messages[0].tool_calls | are the assistant's",
        "{'role':'user','content':'a','name':'bob'} | messages[0].name | for turns of role tool",
        "{'role':'assistant','tool_calls':[{'function':{'arguments':{}}}]}"
            + " | messages[0].tool_calls[0].function.name | is missing",
        "{'role':'assistant','tool_calls':[{'function':{'name':'f','arguments':[1]}}]}"
            + " | messages[0].tool_calls[0].function.arguments | must be an object",
        "{'role':'assistant','tool_calls':[{'type':'x','function':{'name':'f'}}]}"
            + " | messages[0].tool_calls[0].type | must be function",
        "{'role':'assistant','tool_calls':[{'type':'function'}]}"
            + " | messages[0].tool_calls[0].function | must be {name, arguments}",
        "{'role':'assistant','tool_calls':['f']} | messages[0].tool_calls[0] | must be an object",
        "{'role':'assistant','tool_calls':[]} | messages[0].content | is missing",
      })
  void aWrongCallIsNamed(String message, String column, String reason) {
    String line = "{\"messages\":[" + message.replace('\'', '"') + "]}\n";
    DataException e = refusal(file("rows.jsonl", line));
    assertThat(e.rejected().get(0).column()).isEqualTo(column);
    assertThat(e.rejected().get(0).reason()).contains(reason);
  }

  @Test
  void everyFormOfCsvIsRead() {
    List<Row> own =
        RowFile.read(
                file(
                    "own.csv",
                    "id,prompt,completion,tag:language\n"
                        + "r1,\"Hi, my \"\"card\"\"\nis lost\",card_lost,en\n,other,none,\n"),
                false)
            .rows();
    assertThat(own.get(0))
        .isEqualTo(Row.qa("r1", "Hi, my \"card\"\nis lost", "card_lost", Map.of("language", "en")));
    assertThat(own.get(1).tags()).isEmpty();

    List<Row> banking =
        RowFile.read(file("b.csv", "text,category\nWhere is it?,card_arrival\n"), false).rows();
    assertThat(banking.get(0).messages())
        .containsExactly(Message.user("Where is it?"), Message.assistant("card_arrival"));
    assertThat(banking.get(0).tags()).isEqualTo(Map.of("intent", "card_arrival"));

    assertThat(RowFile.read(file("t.csv", "text\none\ntwo\n"), false).rows())
        .extracting(Row::text)
        .containsExactly("one", "two");
  }

  @Test
  void aRowWithoutAnIdGetsOneFromItsContent() {
    List<Row> first =
        RowFile.read(file("1.jsonl", "{\"text\":\"a\"}\n{\"text\":\"b\"}"), false).rows();
    List<Row> second =
        RowFile.read(file("2.jsonl", "{\"text\":\"b\"}\n{\"text\":\"a\"}\n{\"text\":\"a\"}"), false)
            .rows();
    assertThat(second.get(0).id()).isEqualTo(first.get(1).id());
    assertThat(second.get(1).id()).isEqualTo(first.get(0).id());
    assertThat(second.get(2).id()).as("a copy").isEqualTo(first.get(0).id() + "~2");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          {"text":"a"                                  | not JSON at column
          {"text":"a"} {"text":"b"}                    | not JSON at column
          {"text":"a","text":"b"}                      | not JSON at column
          [1]                                          | not a JSON object
          "text"                                       | not a JSON object
          {}                                           | must have exactly one of text, prompt with completion
          {"text":"a","prompt":"b","completion":"c"}   | must have exactly one of
          {"prompt":"a"}                               | completion: is missing
          {"prompt":"  ","completion":"c"}             | prompt: is empty
          {"prompt":"a","completion":""}               | completion: is empty
          {"prompt":["a"],"completion":"c"}            | prompt: must be a text, not a list
          {"txet":"a"}                                 | txet: unknown field; did you mean 'text'?
          {"text":"a","id":" x"}                       | id: must have 1 to 200 characters
          {"text":"a","tags":["x"]}                    | tags: must be an object of names to texts, not a list
          {"text":"a","tags":{"x":{}}}                 | tags.x: must be a text, a number or true or false
          {"text":"a \\ud800 b"}                       | text: half a surrogate pair, which is no character, at index 2
          {"messages":[]}                              | messages: must be a list of at least one
          {"messages":[{"role":"user","content":"a"}]} | messages: must end with the assistant's turn
          {"messages":[{"role":"usr","content":"a"}]}  | messages[0].role: no role 'usr'; did you mean 'user'?
          {"messages":[{"role":"user"}]}               | messages[0].content: is missing
          {"messages":["hello"]}                       | messages[0]: must be {role, content}
          """)
  void aMalformedRowIsNamedWithItsNumberAndReason(String bad, String reason) {
    Path file = file("rows.jsonl", "{\"text\":\"good\"}\n\n" + bad + "\n{\"text\":\"fine\"}\n");
    DataException refused = refusal(file);
    assertThat(refused)
        .hasMessageContaining("rows.jsonl: 1 row cannot be used")
        .hasMessageContaining("row 3")
        .hasMessageContaining(reason)
        .hasMessageContaining("--skip-bad-rows");

    RowFile kept = RowFile.read(file, true);
    assertThat(kept.rows()).extracting(Row::text).containsExactly("good", "fine");
    assertThat(kept.rejected()).extracting(RejectedRow::row).containsExactly(3L);
  }

  @Test
  void duplicatedIdsAreRefusedAndTheFirstIsKept() {
    Path file =
        file("rows.jsonl", "{\"id\":\"a\",\"text\":\"1\"}\n{\"id\":\"a\",\"text\":\"2\"}\n");
    assertThat(refusal(file)).hasMessageContaining("row 2, id: 'a' is already the id of row 1");
    assertThat(RowFile.read(file, true).rows()).extracting(Row::text).containsExactly("1");
  }

  @Test
  void theFirstTwentyBadRowsAreShownAndTheOthersCounted() {
    DataException refused = refusal(file("rows.jsonl", "{}\n".repeat(25)));
    assertThat(refused.rejected()).hasSize(25);
    assertThat(refused).hasMessageContaining("row 20").hasMessageContaining("… and 5 more");
    assertThat(refused.getMessage()).doesNotContain("row 21");
  }

  @Test
  void csvRowsAreNumberedAsRecordsAndLines() {
    Path file =
        file("rows.csv", "prompt,completion\n\"two\nlines\",a\n\nonly one field\nq,\nfine,b\n");
    DataException refused = refusal(file);
    assertThat(refused.rejected())
        .extracting(RejectedRow::toString)
        .containsExactly(
            "row 2 (line 5): has 1 fields, the header has 2 (a text that holds a comma goes in"
                + " quotation marks)",
            "row 3 (line 6), completion: is empty");
    assertThat(RowFile.read(file, true).rows()).hasSize(2);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          prompt,completoin\\nq,a             | line 1: unknown column 'completoin'; did you mean 'completion'?
          prompt\\nq                          | line 1: the header must name the columns prompt,completion or text,category or text; it names prompt
          prompt,completion,prompt\\nq,a,b    | line 1:
          text,prompt,completion\\nt,q,a      | has all
          ``                                  | line 1: the header must name the columns
          prompt,completion                   | holds no rows
          prompt,completion\\nq,a\\n"q"x,a     | cannot be read after row
          """)
  void aCsvFileThatIsWrongAsAWholeIsRefused(String text, String reason) {
    Path file = file("rows.csv", (text == null ? "" : text).replace("\\n", "\n"));
    DataException refused = refusal(file);
    if (!reason.equals("has all")) {
      assertThat(refused).hasMessageContaining(reason);
      assertThat(catchThrowableOfType(DataException.class, () -> RowFile.read(file, true)))
          .isNotNull();
    } else {
      assertThat(refused).hasMessageContaining("must have exactly one of");
    }
  }

  @Test
  void wrongEncodingsAreNamedWithTheirByte() throws IOException {
    ByteArrayOutputStream latin = new ByteArrayOutputStream();
    latin.write("{\"text\":\"caf\u00e9\"}\n{\"text\":\"".getBytes(StandardCharsets.UTF_8));
    int offset = latin.size();
    latin.write("\u00e9t\u00e9\"}\n".getBytes(StandardCharsets.ISO_8859_1));
    Path lines = file("rows.jsonl", latin.toByteArray());
    assertThat(refusal(lines))
        .hasMessageContaining(
            "row 2: not UTF-8 at byte offset " + offset + " of the file (byte 0xE9)")
        .hasMessageContaining("iconv");
    assertThat(RowFile.read(lines, true).rows()).extracting(Row::text).containsExactly("café");

    byte[] csv = "text\ngut\nschön\nfertig\n".getBytes(StandardCharsets.ISO_8859_1);
    Path table = file("rows.csv", csv);
    assertThat(refusal(table))
        .hasMessageContaining(
            "row 2 (line 3): not UTF-8 at byte offset 12 of the file (byte 0xF6)");
    assertThat(RowFile.read(table, true).rows())
        .extracting(Row::text)
        .containsExactly("gut", "fertig");

    Path wide = file("wide.jsonl", "\uFEFF{\"text\":\"a\"}".getBytes(StandardCharsets.UTF_16LE));
    assertThat(refusal(wide)).hasMessageContaining("is UTF-16").hasMessageContaining("iconv");
  }

  @Test
  void aByteOrderMarkAndWindowsLineEndsAreTaken() {
    assertThat(
            RowFile.read(file("a.jsonl", "\uFEFF{\"text\":\"a\"}\r\n{\"text\":\"b\"}\r\n"), false)
                .rows())
        .extracting(Row::text)
        .containsExactly("a", "b");
    assertThat(RowFile.read(file("a.csv", "\uFEFFtext\r\na\r\nb\r\n"), false).rows())
        .extracting(Row::text)
        .containsExactly("a", "b");
  }

  @Test
  void plainTextHasAnEmptyLineBetweenRows() throws IOException {
    Path file = file("book.txt", "\n\none\ntwo\r\nthree\n \t\n\nfour\n");
    assertThat(RowFile.read(file, false).rows())
        .extracting(Row::text)
        .containsExactly("one\ntwo\nthree", "four");
    assertThat(RowFile.read(file("one.txt", "one"), false).rows()).hasSize(1);
    byte[] latin = "gut\n\nsch\u00f6n\n\nfertig".getBytes(StandardCharsets.ISO_8859_1);
    Path mixed = file("latin.txt", latin);
    assertThat(refusal(mixed)).hasMessageContaining("row 2 (line 3): not UTF-8 at byte offset 8");
    assertThat(RowFile.read(mixed, true).rows()).hasSize(2);
    assertThat(refusal(file("empty.txt", "\n \n"))).hasMessageContaining("holds no rows");
  }

  @Test
  void whatIsNoFileOfRowsIsRefused() {
    assertThat(refusal(directory.resolve("none.jsonl"))).hasMessageContaining("no such file");
    assertThat(refusal(file("rows.parquet", "x"))).hasMessageContaining("neither JSON lines");
    assertThat(refusal(file("rows.jsonl", "\n\n"))).hasMessageContaining("holds no rows");
    assertThat(refusal(file("array.jsonl", "[{\"text\":\"a\"}]"))).hasMessageContaining("jq -c");
    assertThat(
            catchThrowableOfType(
                DataException.class, () -> RowFile.read(file("bad.jsonl", "{}"), true)))
        .hasMessageContaining("No row is left");
    Path folder = directory.resolve("folder.csv");
    assertThat(folder.toFile().mkdir()).isTrue();
    assertThat(refusal(folder)).hasMessageContaining("is a directory");
  }

  @Test
  void bankingData() {
    Path data = Path.of("../../shared/data/banking77/train.csv");
    Assumptions.assumeThat(data).as("the shared data are not on this machine").exists();
    List<Row> rows = RowFile.read(data, false).rows();
    assertThat(rows).hasSize(10_003);
    assertThat(rows.stream().map(r -> r.tags().get("intent")).distinct()).hasSize(77);
    Split split = Split.of(rows);
    assertThat(split.heldOut()).hasSize(500);
    assertThat(OverlapCheck.find(split.train(), SuiteFile.read(data.resolveSibling("test.csv"))))
        .as("the public test set has near copies of training rows")
        .isNotEmpty();
  }
}
