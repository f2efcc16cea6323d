package dev.cambium.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cambium.ledger.Recorded;
import dev.cambium.loop.campaign.Approver;
import dev.cambium.loop.governor.Choice;
import dev.cambium.loop.governor.Mode;
import dev.cambium.loop.governor.Wish;
import dev.cambium.loop.plan.Plan;
import dev.cambium.model.Action;
import dev.cambium.model.Channel;
import dev.cambium.model.Fact;
import dev.cambium.model.Json;
import dev.cambium.model.Progress;
import dev.cambium.model.Protection;
import dev.cambium.model.VersionKind;
import dev.cambium.model.VersionRef;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The governor's choices in plans, trainings and explanations. */
class GovernedCampaignTest {

  @TempDir Path temp;
  private Town town;

  @BeforeEach
  void town() {
    town = new Town(temp.resolve("town"));
  }

  private void declare(String governor) throws IOException {
    Files.writeString(
        town.directory.resolve("ecosystem.yaml"),
        Town.YAML.replace("recipes:\n", governor + "recipes:\n"));
  }

  private void teach(Cambium cambium, String thing) throws IOException {
    cambium.signalData(town.rows(thing, Town.rows(thing, 30, "new")), "cards", false, false, thing);
  }

  private static Choice choice(Plan plan, String line) {
    return plan.steps().stream()
        .filter(step -> step.line().equals(line))
        .findFirst()
        .orElseThrow()
        .update();
  }

  private static Action.Train lastTraining(Cambium cambium) {
    Recorded<Fact.ActionFinished> last = cambium.state().recentActions("train", 1).get(0);
    return (Action.Train) Json.read(cambium.store().bytes(last.fact().spec()), Action.class);
  }

  private static VersionRef stable(Cambium cambium) {
    return cambium.state().channel("cards", Channel.STABLE).orElseThrow();
  }

  @Test
  void aFirstTrainingIsNotGovernedAndAPlainUpdateIsTheRecipe() throws IOException {
    try (Cambium cambium = town.create()) {
      town.found(cambium);
      assertThat(cambium.plan().steps()).allMatch(step -> step.update() == null);
      cambium.run(Approver.ALWAYS, Progress.NONE);
      assertThat(cambium.decisions("cards")).isEmpty();
      teach(cambium, "new card");
      Choice choice = choice(cambium.plan(), "cards");
      assertThat(choice.mode()).isEqualTo(Mode.PLAIN);
      assertThat(choice.readings().updates()).isEqualTo(1);
      assertThat(choice.readings().steps()).isEqualTo(1);
      assertThat(choice.readings().seconds()).isEqualTo(0.5);
      assertThat(choice.readings().weakest()).isEqualTo("card-facts");
      assertThat(choice.readings().room()).as("all right, floor one half").isEqualTo(0.5);
      cambium.run(Approver.ALWAYS, Progress.NONE);
      assertThat(lastTraining(cambium).recipe().protect()).isNull();
      assertThat(cambium.decisions("cards"))
          .containsOnlyKeys(stable(cambium))
          .containsValue(choice);
    }
  }

  @Test
  void aRuleThatAppliesProtectsTheTrainingAndIsTold() throws IOException {
    try (Cambium cambium = town.create()) {
      town.found(cambium);
      cambium.run(Approver.ALWAYS, Progress.NONE);
      declare(
          """
          governor:
            budget: { steps: 10 }
            rules:
              - { when: { updates-above: 0 }, mode: protect, protect: { kl: 0.2, orthogonal: 0.5 }, because: it has learnt before }
          """);
      teach(cambium, "new card");
      cambium.run(Approver.ALWAYS, Progress.NONE);
      assertThat(lastTraining(cambium).recipe().protect())
          .as("orthogonal is for adapters")
          .isEqualTo(Protection.NONE.withKl(0.2));
      assertThat(cambium.why(stable(cambium)).toString())
          .contains(
              "protect", "trainings since the line began 1 is above 0", "it has learnt before");
      assertThat(cambium.verify(Progress.NONE).findings()).isEmpty();
    }
  }

  @Test
  void aPersonCanChooseAndThatIsRecordedBeforeAnythingRuns() throws IOException {
    try (Cambium cambium = town.create()) {
      town.found(cambium);
      cambium.run(Approver.ALWAYS, Progress.NONE);
      teach(cambium, "new card");
      List<Wish> repair = List.of(new Wish("cards", Mode.REPAIR, "it took twice as long"));
      assertThat(choice(cambium.plan(repair), "cards").mode()).isEqualTo(Mode.REPAIR);
      assertThat(choice(cambium.plan(), "cards").mode())
          .as("nothing was kept")
          .isEqualTo(Mode.PLAIN);
      assertThatThrownBy(() -> cambium.plan(List.of(new Wish("loans", Mode.REPAIR, "x"))))
          .hasMessageContaining("loans: a mode is for the update");
      assertThatThrownBy(() -> cambium.plan(List.of(new Wish("lones", Mode.REPAIR, "x"))))
          .hasMessageContaining("loans");
      town.memorizer.dieAfter = town.executed.size();
      assertThatThrownBy(() -> cambium.run(Approver.ALWAYS, repair, Progress.NONE))
          .isInstanceOf(Memorizer.Killed.class);
    }
    town.memorizer = new Memorizer(town.executed);
    try (Cambium cambium = town.open()) {
      assertThatThrownBy(
              () ->
                  cambium.run(
                      Approver.ALWAYS, List.of(new Wish("cards", Mode.PLAIN, "no")), Progress.NONE))
          .hasMessageContaining("is open, and its plan stands");
      cambium.run(Approver.ALWAYS, Progress.NONE);
      assertThat(lastTraining(cambium).recipe().protect().resetDormant()).isNotNull();
      assertThat(cambium.why(stable(cambium)).toString())
          .contains("chosen by tester instead of plain: it took twice as long");
      Choice choice = cambium.decisions("cards").get(stable(cambium));
      assertThat(choice.overruled())
          .isEqualTo(new Choice.Overruled("tester", "it took twice as long", Mode.PLAIN));
    }
  }

  @Test
  void everyModeGoesItsWay() throws IOException {
    try (Cambium cambium = town.create()) {
      town.found(cambium);
      cambium.run(Approver.ALWAYS, Progress.NONE);
      cambium.signalData(
          town.rows("more", Town.rows("r new", 20, "new")), "router", false, false, "more");
      cambium.run(
          Approver.ALWAYS,
          List.of(new Wish("router", Mode.CONSOLIDATE, "room for the next")),
          Progress.NONE);
      VersionRef router = cambium.state().channel("router", Channel.STABLE).orElseThrow();
      assertThat(cambium.version(router).kind()).isEqualTo(VersionKind.MODEL);
      teach(cambium, "new card");
      cambium.run(Approver.ALWAYS, List.of(new Wish("cards", Mode.REBASE, "anew")), Progress.NONE);
      assertThat(cambium.version(stable(cambium)).note()).startsWith("begun anew from base@1");
      assertThat(cambium.decisions("cards").get(stable(cambium)).mode()).isEqualTo(Mode.REBASE);
      teach(cambium, "later card");
      assertThat(choice(cambium.plan(), "cards").readings().updates())
          .as("counted from where it began anew")
          .isEqualTo(1);
    }
  }
}
