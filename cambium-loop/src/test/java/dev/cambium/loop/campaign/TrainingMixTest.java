package dev.cambium.loop.campaign;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.cambium.artifact.ArtifactStore;
import dev.cambium.artifact.LocalArtifactStore;
import dev.cambium.loop.data.RowFile;
import dev.cambium.model.Action;
import dev.cambium.model.Digest;
import dev.cambium.model.Row;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainingMixTest {

  @TempDir Path temp;
  private ArtifactStore store;
  private TrainingMix mixes;

  @BeforeEach
  void open() {
    store = LocalArtifactStore.open(temp);
    mixes = new TrainingMix(store);
  }

  private Digest data(Row... rows) {
    return store.put(RowFile.encode(List.of(rows)));
  }

  private static Row row(String id, String asked, String answer) {
    return Row.qa(id, asked, answer, Map.of());
  }

  private static Row fact(String id, String asked, String answer, String fact) {
    return Row.qa(id, asked, answer, Map.of("fact", fact));
  }

  private List<String> ids(Action.DataShare share) {
    return RowFile.decode(store.bytes(share.data())).stream().map(Row::id).toList();
  }

  @Test
  void sharesAreInProportionToTheReplayShareAndWithinItToTheRows() {
    Digest old = data(row("a", "q1", "x"), row("b", "q2", "x"), row("c", "q3", "x"));
    Digest older = data(row("d", "q4", "x"));
    Digest fresh = data(row("e", "q5", "x"));
    List<Action.DataShare> mix = mixes.update(List.of(older, old), List.of(fresh), 0.4, null);
    assertThat(mix).extracting(Action.DataShare::data).containsExactly(fresh, older, old);
    assertThat(mix.get(0).weight()).isCloseTo(0.6, within(1e-12));
    assertThat(mix.get(1).weight()).isCloseTo(0.1, within(1e-12));
    assertThat(mix.get(2).weight()).isCloseTo(0.3, within(1e-12));
  }

  @Test
  void replayCanBeBalancedByATag() {
    Digest old =
        data(
            Row.qa("a", "q1", "x", Map.of("skill", "fees")),
            Row.qa("b", "q2", "x", Map.of("skill", "fees")),
            Row.qa("c", "q3", "x", Map.of("skill", "limits")),
            row("d", "q4", "x"));
    Digest older = data(Row.qa("e", "q5", "x", Map.of("skill", "fees")));
    Digest fresh = data(row("f", "q6", "x"));
    List<Action.DataShare> mix = mixes.update(List.of(older, old), List.of(fresh), 0.3, "skill");
    assertThat(mix).hasSize(4);
    assertThat(mix.get(0).weight()).isCloseTo(0.7, within(1e-12));
    assertThat(mix.subList(1, 4))
        .allSatisfy(share -> assertThat(share.weight()).isCloseTo(0.1, within(1e-12)));
    assertThat(mix.subList(1, 4).stream().map(this::ids))
        .containsExactly(List.of("d"), List.of("e", "a", "b"), List.of("c"));
  }

  @Test
  void withoutReplayOrHistoryThereIsOnlyWhatIsNew() {
    Digest old = data(row("a", "q1", "x"));
    Digest fresh = data(row("b", "q2", "x"));
    assertThat(mixes.update(List.of(old), List.of(fresh), 0, null)).hasSize(1);
    assertThat(mixes.update(List.of(), List.of(fresh), 0.5, null)).hasSize(1);
  }

  @Test
  void anotherAnswerToTheSameQuestionSupersedesTheEarlierOne() {
    Digest old = data(row("a", "What is the  fee?", "5"), row("b", "What else?", "tea"));
    Digest fresh = data(row("c", "what is the fee?", "7"));
    List<Action.DataShare> mix = mixes.update(List.of(old), List.of(fresh), 0.5, null);
    assertThat(ids(mix.get(1))).containsExactly("b");
  }

  @Test
  void anotherAnswerToTheSameFactSupersedesHoweverItIsAsked() {
    Digest old =
        data(fact("a", "gold fee?", "5", "gold-fee"), fact("b", "gold limit?", "9", "gold-limit"));
    Digest fresh = data(fact("c", "what does gold cost?", "7", "gold-fee"));
    List<Action.DataShare> mix = mixes.update(List.of(old), List.of(fresh), 0.5, null);
    assertThat(ids(mix.get(1))).containsExactly("b");
    assertThat(mixes.holding(List.of(old, fresh), Map.of(old, old)))
        .extracting(Row::id)
        .containsExactly("b");
  }

  @Test
  void theSameAnswerIsNoContradictionAndLaterDataSupersedeWithinAHistory() {
    Digest first = data(row("a", "q", "x"), row("b", "r", "1"));
    Digest second = data(row("c", "q", "x"), row("d", "r", "2"));
    List<Action.DataShare> all = mixes.all(List.of(first, second));
    assertThat(ids(all.get(0))).containsExactly("a");
    assertThat(ids(all.get(1))).containsExactly("c", "d");
  }

  @Test
  void dataThatIsWhollySupersededIsLeftOut() {
    Digest old = data(row("a", "q", "x"));
    Digest fresh = data(row("b", "q", "y"));
    assertThat(mixes.update(List.of(old), List.of(fresh), 0.5, null))
        .extracting(Action.DataShare::data)
        .containsExactly(fresh);
  }

  @Test
  void questionsAreEarlierConversationsThatStillHoldAFewInAFixedOrder() {
    Digest old =
        data(row("a", "q1", "x"), row("b", "q2", "x"), row("c", "q3", "x"), Row.text("t", "text"));
    Digest fresh = data(row("d", "q2", "another answer"));
    List<Row> all = mixes.questions(List.of(old), List.of(fresh), 9);
    assertThat(all).extracting(Row::id).containsExactlyInAnyOrder("a", "c");
    assertThat(mixes.questions(List.of(old), List.of(fresh), 1)).containsExactly(all.get(0));
    assertThat(mixes.questions(List.of(), List.of(fresh), 9)).isEmpty();
  }

  @Test
  void anotherSourceGetsItsShareAndTheOthersKeepTheirProportions() {
    Digest old = data(row("a", "q1", "x"), row("b", "q2", "x"), row("c", "q3", "x"));
    Digest fresh = data(row("e", "q5", "x"));
    Digest own = data(row("a", "q1", "x"));
    List<Action.DataShare> mix =
        mixes.with(mixes.update(List.of(old), List.of(fresh), 0.4, null), own, 0.1);
    assertThat(mix).extracting(Action.DataShare::data).containsExactly(fresh, old, own);
    assertThat(mix.get(0).weight()).isCloseTo(0.54, within(1e-12));
    assertThat(mix.get(1).weight()).isCloseTo(0.36, within(1e-12));
    assertThat(mix.get(2).weight()).isCloseTo(0.1, within(1e-12));
  }

  @Test
  void aTeachersAnswersStandInForRecordedOnes() {
    Digest old = data(row("a", "q1", "x"), row("b", "q2", "x"));
    Digest fresh = data(row("c", "q3", "x"));
    List<Action.DataShare> taught =
        mixes.taught(List.of(old, fresh), List.of(row("b", "q2", " x")));
    assertThat(taught).hasSize(2);
    assertThat(RowFile.decode(store.bytes(taught.get(0).data())))
        .containsExactly(row("a", "q1", "x"), row("b", "q2", " x"));
    assertThat(taught.get(1).data()).isEqualTo(fresh);
    assertThat(taught).extracting(Action.DataShare::weight).containsExactly(2.0, 1.0);
  }
}
