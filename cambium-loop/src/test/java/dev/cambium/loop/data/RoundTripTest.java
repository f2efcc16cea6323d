package dev.cambium.loop.data;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cambium.model.Item;
import dev.cambium.model.Message;
import dev.cambium.model.Row;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

class RoundTripTest {

  private static Arbitrary<String> text() {
    return Arbitraries.strings()
        .ofMinLength(1)
        .ofMaxLength(40)
        .filter(s -> !s.isBlank())
        .filter(s -> s.chars().noneMatch(c -> Character.isSurrogate((char) c)));
  }

  private static Arbitrary<Map<String, String>> tags() {
    return Arbitraries.maps(Arbitraries.strings().alpha().ofLength(3), text()).ofMaxSize(3);
  }

  @Provide
  Arbitrary<List<Row>> rows() {
    return Combinators.combine(text(), text(), tags(), Arbitraries.of(true, false))
        .as(
            (a, b, tags, plain) ->
                plain
                    ? new Row("", a, List.of(), tags)
                    : new Row("", null, List.of(Message.user(a), Message.assistant(b)), tags))
        .list()
        .ofMinSize(1)
        .ofMaxSize(12)
        .map(
            list -> {
              List<Row> numbered = new ArrayList<>();
              for (Row row : list) {
                numbered.add(
                    new Row("r" + numbered.size(), row.text(), row.messages(), row.tags()));
              }
              return numbered;
            });
  }

  @Property(tries = 100)
  void rowsSurviveTheStoredForm(@ForAll("rows") List<Row> rows) throws IOException {
    byte[] stored = RowFile.encode(rows);
    assertThat(RowFile.decode(stored)).isEqualTo(rows);
    Path file = Files.createTempFile("rows", ".jsonl");
    try {
      Files.write(file, stored);
      assertThat(RowFile.read(file, false).rows()).isEqualTo(rows);
    } finally {
      Files.delete(file);
    }
  }

  @Property(tries = 100)
  void itemsSurviveTheStoredForm(@ForAll("rows") List<Row> rows) throws IOException {
    List<Item> items =
        rows.stream()
            .map(
                r ->
                    r.text() != null
                        ? new Item(r.id(), r.text(), List.of(), null, List.of(), r.tags())
                        : Item.qa(
                            r.id(),
                            r.messages().get(0).content(),
                            r.messages().get(1).content(),
                            r.tags()))
            .toList();
    byte[] stored = SuiteFile.encode(items);
    assertThat(SuiteFile.decode(stored)).isEqualTo(items);
    Path file = Files.createTempFile("suite", ".jsonl");
    try {
      Files.write(file, stored);
      assertThat(SuiteFile.read(file)).isEqualTo(items);
    } finally {
      Files.delete(file);
    }
  }

  /** Which side a row falls on must not depend on its neighbours, its id or its file. */
  @Property(tries = 100)
  void aSplitIsAPartitionThatKeepsEqualQuestionsTogether(@ForAll("rows") List<Row> rows) {
    Set<List<String>> questions = new HashSet<>();
    rows.forEach(r -> questions.add(Wording.asked(r)));
    if (questions.size() < 2) {
      return;
    }
    Split split = Split.of(rows);
    assertThat(split.train()).isNotEmpty();
    assertThat(split.heldOut()).isNotEmpty();
    List<Row> all = new ArrayList<>(split.train());
    all.addAll(split.heldOut());
    assertThat(all).containsExactlyInAnyOrderElementsOf(rows);
    Set<List<String>> learnt = new HashSet<>();
    split.train().forEach(r -> learnt.add(Wording.asked(r)));
    assertThat(split.heldOut()).noneMatch(r -> learnt.contains(Wording.asked(r)));
  }
}
