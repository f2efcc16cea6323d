package dev.cambium.model;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class JsonFormTest {

  private static final Digest D = Digest.ofText("x");

  @Test
  void everyActionSurvivesTheRoundTripAndKeepsItsKey() {
    Recipe recipe =
        new Recipe(
                Recipe.Method.LORA,
                new Recipe.Lora(8, 16, List.of()),
                100,
                16,
                0,
                64,
                1e-3,
                0.1,
                Recipe.Schedule.CONSTANT,
                0.01,
                1.0,
                0.1)
            .withPrecision(Recipe.Precision.BF16);
    List<Action> actions =
        List.of(
            new Action.Train(D, null, recipe, List.of(new Action.DataShare(D, 1)), 7),
            new Action.Answer(D, D, Scorer.of(ScorerKind.NUMERIC), 0.5, 3),
            new Action.Consolidate(D, D),
            new Action.Transplant(D, D, D, 0.75),
            new Action.Transplant(D, D, D, 0.75, Map.of("feed-forward", 1.0)),
            new Action.Crossing(D, D, List.of(D)),
            new Action.Align(D, D, D, List.of(D)),
            new Action.Distill(
                D, null, D, recipe.distilling(), List.of(new Action.DataShare(D, 1)), null, 7),
            new Action.Distill(D, D, D, recipe.distilling(), List.of(), 20, 7),
            new Action.Evaluate(D, D, Scorer.of(ScorerKind.JSON), 0, 25),
            new Action.Probe(D, D, recipe, 2));
    for (Action action : actions) {
      Action read = Json.read(Json.canonical(action), Action.class);
      assertThat(read).isEqualTo(action);
      assertThat(read.key("engine")).isEqualTo(action.key("engine"));
      assertThat(read.key("another")).isNotEqualTo(action.key("engine"));
    }
  }

  @Test
  void anActionRecordedBeforeAFieldWasThereKeepsItsForm() {
    byte[] old =
        ("{\"divergence\":\"forward-kl\",\"mixture\":0.5,\"on-policy\":0.5,\"rate\":1,\"rows\":1,"
                + "\"steps\":0.25,\"temperature\":1}")
            .getBytes(UTF_8);
    Distillation read = Json.read(old, Distillation.class);
    assertThat(read)
        .isEqualTo(new Distillation(0.25, 0.5, Distillation.Divergence.FORWARD_KL, 0.5, 1));
    assertThat(Json.canonical(read)).isEqualTo(old);
    byte[] older =
        "{\"divergence\":\"jsd\",\"mixture\":0.5,\"on-policy\":0.5,\"steps\":0.25,\"temperature\":1}"
            .getBytes(UTF_8);
    assertThat(Json.read(older, Distillation.class).rows()).isEqualTo(1);
    Distillation labelled =
        new Distillation(1, 0, Distillation.Divergence.FORWARD_KL, 0.5, 1, 0.25, 1, 0.5);
    assertThat(Json.read(Json.canonical(labelled), Distillation.class)).isEqualTo(labelled);
  }

  @Test
  void anAdaptersFurtherOptionsMayBeAbsent() {
    byte[] old = "{\"alpha\":16,\"rank\":8,\"targets\":[\"q_proj\"]}".getBytes(UTF_8);
    assertThat(Json.read(old, Recipe.Lora.class))
        .isEqualTo(new Recipe.Lora(8, 16, List.of("q_proj")));
    Recipe.Lora all =
        new Recipe.Lora(
            8,
            16,
            List.of("q_proj"),
            true,
            true,
            new TreeMap<>(Map.of("q_proj", 4)),
            new TreeMap<>(Map.of("q_proj", 2.5)),
            List.of("lm_head"));
    assertThat(Json.read(Json.canonical(all), Recipe.Lora.class)).isEqualTo(all);
  }

  @Test
  void anApplicationWithoutExamplesIsWrittenAsBeforeThereWereAny() {
    byte[] old =
        "{\"max-new-tokens\":8,\"prompt\":\"Q: {input}\",\"system\":null,\"temperature\":0}"
            .getBytes(StandardCharsets.UTF_8);
    Application read = Json.read(old, Application.class);
    assertThat(read.examples()).isEmpty();
    assertThat(new String(Json.canonical(read), StandardCharsets.UTF_8)).doesNotContain("examples");
    Application taught =
        new Application(
            null, "Q: {input}", List.of(new Application.Example("one?", "1")), List.of(), 8, 0);
    assertThat(Json.read(Json.canonical(taught), Application.class)).isEqualTo(taught);
  }

  @Test
  void recordsSurviveTheRoundTripByteForByte() {
    List<Fact> facts =
        List.of(
            new Fact.EcosystemDeclared("bank", D, new TreeMap<>(Map.of("intents", D))),
            new Fact.EcosystemDeclared(
                "bank",
                D,
                new TreeMap<>(Map.of("intents", D, "rules", D)),
                new TreeMap<>(Map.of("intents", Digest.ofText("edited"))),
                new TreeMap<>(
                    Map.of(
                        "rules",
                        new Fact.SuiteApproval(
                            Digest.ofText("old"), D, true, "the fee is 7 now")))),
            new Fact.VersionRegistered(
                VersionRef.parse("cards@2"),
                D,
                VersionKind.ADAPTER,
                VersionRef.parse("retail@1"),
                null,
                Rung.REUSE,
                D,
                "c1",
                List.of(),
                "note"),
            new Fact.VersionRegistered(
                VersionRef.parse("both@1"),
                D,
                VersionKind.MODEL,
                VersionRef.parse("retail@1"),
                null,
                null,
                D,
                "c1",
                List.of(D),
                List.of(VersionRef.parse("cards@2"), VersionRef.parse("loans@1")),
                "note"),
            new Fact.ChannelMoved(
                "cards",
                Channel.STABLE,
                null,
                VersionRef.parse("cards@2"),
                Fact.Movement.RELEASE,
                D,
                ""),
            new Fact.CampaignClosed("c1", Fact.CampaignOutcome.RELEASED, Map.of("released", 2)));
    for (Fact fact : facts) {
      Record record = new Record(3, Instant.parse("2026-01-02T03:04:05.678Z"), "alice", fact);
      byte[] bytes = Json.canonical(record);
      Record read = Json.read(bytes, Record.class);
      assertThat(read).isEqualTo(record);
      assertThat(Json.canonical(read)).isEqualTo(bytes);
    }
  }

  @Test
  void unknownFieldsAndWrongValuesAreNamed() {
    assertThatThrownBy(
            () ->
                Json.read(
                    "{\"line\":\"a\",\"oops\":1}".getBytes(StandardCharsets.UTF_8), Message.class))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("line");
    assertThatThrownBy(() -> VersionRef.parse("Banking@3")).hasMessageContaining("Banking@3");
    assertThatThrownBy(() -> FileEntry.checkPath("a/../../b")).hasMessageContaining("a/../../b");
  }

  @Test
  void aManifestsIdentityDoesNotDependOnTheOrderOfItsFiles() {
    FileEntry a = new FileEntry("a", 1, D);
    FileEntry b = new FileEntry("b", 2, D);
    assertThat(new Manifest(VersionKind.MODEL, null, List.of(a, b)).digest())
        .isEqualTo(new Manifest(VersionKind.MODEL, null, List.of(b, a)).digest())
        .isNotEqualTo(new Manifest(VersionKind.MODEL, D, List.of(a, b)).digest());
  }

  @Test
  void everyMergeSurvivesTheRoundTrip() {
    List<Double> two = List.of(1.0, 0.5);
    for (MergeMethod method :
        List.of(
            new MergeMethod.Linear(two),
            new MergeMethod.Slerp(0.25),
            new MergeMethod.TaskArithmetic(two),
            new MergeMethod.Ties(two, 0.2, 1),
            new MergeMethod.Dare(two, 0.5, 7),
            new MergeMethod.RegMean(two, 0.9, 1000))) {
      Action merge =
          new Action.Merge(
              method,
              method.needsBase() ? D : null,
              List.of(new Action.Source(D, null, List.of()), new Action.Source(D, D, List.of(D))));
      assertThat(Json.read(Json.canonical(merge), Action.class)).isEqualTo(merge);
      assertThat(merge.kind()).isEqualTo("merge");
      assertThat(merge.inputs()).hasSize(method.needsBase() ? 5 : 4);
    }
  }
}
