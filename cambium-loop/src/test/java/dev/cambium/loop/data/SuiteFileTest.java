package dev.cambium.loop.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.cambium.model.Item;
import dev.cambium.model.Message;
import dev.cambium.model.Scorer;
import dev.cambium.model.ScorerKind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SuiteFileTest {

  @TempDir Path directory;

  private Path file(String name, String text) {
    try {
      return Files.writeString(directory.resolve(name), text);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void everyFormIsRead() {
    List<Item> items =
        SuiteFile.read(
            file(
                "s.jsonl",
                """
                {"id":"a","prompt":"2+2","answer":4,"tags":{"kind":"sum"}}
                {"question":"q","answer":"x","choices":["x","y"]}
                {"text":"plain"}
                {"messages":[{"role":"user","content":"u"},{"role":"assistant","content":"a"},{"role":"user","content":"v"}],"answer":"w"}
                """));
    assertThat(items.get(0)).isEqualTo(Item.qa("a", "2+2", "4", Map.of("kind", "sum")));
    assertThat(items.get(1).choices()).containsExactly("x", "y");
    assertThat(items.get(2).text()).isEqualTo("plain");
    assertThat(items.get(3).messages()).hasSize(3).last().isEqualTo(Message.user("v"));
    assertThat(items).extracting(Item::id).doesNotHaveDuplicates();

    assertThat(SuiteFile.read(file("s.csv", "prompt,answer,id,tag:intent\nq,a,i1,x\n")))
        .containsExactly(Item.qa("i1", "q", "a", Map.of("intent", "x")));
    assertThat(SuiteFile.read(file("b.csv", "text,category\nq,a\n")).get(0).tags())
        .isEqualTo(Map.of("intent", "a"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          {"prompt":"q"}                                          | EXACT_MATCH | answer: is missing
          {"prompt":"q","answer":" "}                             | EXACT_MATCH | answer: is empty
          {"text":"q","answer":"a"}                               | EXACT_MATCH | prompt: is missing; only scorers of likelihood
          {"prompt":"q","answer":"a"}                             | CHOICE      | choices: the choice scorer needs at least two
          {"prompt":"q","answer":"a","choices":["b","c"]}         | CHOICE      | choices: the answer must be among the choices
          {"prompt":"q","answer":"a","choices":["a",2]}           | CHOICE      | choices[1]: must be a text
          {"prompt":"q","answer":"many"}                          | NUMERIC     | answer: the numeric scorer needs a number, not 'many'
          {"prompt":"q","answer":"{a:"}                           | JSON        | answer: the json scorer needs JSON
          {"prompt":"q"}                                          | LIKELIHOOD  | answer: a scorer of likelihood needs a text, or an answer
          {"prompt":"q","question":"q","answer":"a"}              | EXACT_MATCH | must have exactly one of prompt, question, messages, text
          {"prompt":"q","anwser":"a"}                             | EXACT_MATCH | anwser: unknown field; did you mean 'answer'?
          {"messages":[{"role":"assistant","content":"a"}],"answer":"a"} | EXACT_MATCH | messages: must end before the assistant's turn
          """)
  void anItemThatItsScorerCannotJudgeIsRefused(String bad, ScorerKind kind, String reason) {
    Path file = file("s.jsonl", bad + "\n");
    assertThat(
            catchThrowableOfType(DataException.class, () -> SuiteFile.read(file, Scorer.of(kind))))
        .hasMessageContaining("row 1")
        .hasMessageContaining(reason);
  }

  @Test
  void emptySuitesAndDuplicatedIdsAreRefused() {
    Path empty = file("s.jsonl", "");
    assertThat(catchThrowableOfType(DataException.class, () -> SuiteFile.read(empty)))
        .hasMessageContaining("holds no items");
    Path twice =
        file(
            "t.jsonl",
            "{\"id\":\"a\",\"prompt\":\"1\",\"answer\":\"1\"}\n"
                + "{\"id\":\"b\",\"prompt\":\"2\",\"answer\":\"2\"}\n"
                + "{\"id\":\"a\",\"prompt\":\"3\",\"answer\":\"3\"}\n");
    assertThat(catchThrowableOfType(DataException.class, () -> SuiteFile.read(twice)))
        .hasMessageContaining("row 3, id: 'a' is already the id of row 1");
  }
}
