package dev.cambium.story;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cambium.engine.ModelInitializer;
import dev.cambium.loop.Cambium;
import dev.cambium.loop.declaration.Declaration;
import dev.cambium.model.Progress;
import dev.cambium.model.Recipe;
import dev.cambium.model.Row;
import dev.cambium.model.ScorerKind;
import dev.cambium.model.Tier;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OwnFoundationTest {

  @TempDir Path directory;

  private Path model() {
    Path model = directory.resolve("model");
    List<Row> rows =
        List.of(Row.text("t1", "The card is lost."), Row.qa("q1", "and now ?", "call", Map.of()));
    ModelInitializer.initialize(
        rows, new ModelInitializer.Shape(1, 16, 2, 1, 32, 280, 64), 1, model);
    return model;
  }

  @Test
  void saysWhatItWillTakeAndIsRecognisedByItsNote() throws IOException {
    Path model = model();
    OwnFoundation own = OwnFoundation.of(model);
    assertThat(own.parameters()).isPositive();
    assertThat(own.announcement(true))
        .contains(model.toString(), "million weights", "minute", "GB of memory");
    assertThat(new OwnFoundation(model, 1_000_000_000_000L).announcement(false)).contains("hours");
  }

  @Test
  void refusesWhatIsNoModelOrHasNoTemplate() throws IOException {
    Path empty = Files.createDirectories(directory.resolve("empty"));
    assertThatThrownBy(() -> OwnFoundation.of(empty))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(empty.toString())
        .hasMessageContaining("config.json");
    Path model = model();
    Path config = model.resolve("tokenizer_config.json");
    Files.writeString(
        config, Files.readString(config).replace("\"chat_template\"", "\"unused_template\""));
    assertThatThrownBy(() -> OwnFoundation.of(model)).hasMessageContaining("no chat template");
  }

  @Test
  void declaresAFleetThatFitsALargeModel() throws IOException {
    for (Sizes sizes : List.of(Sizes.OWN, Sizes.OWN_QUICK)) {
      Path fleet = directory.resolve(sizes.scale().name());
      new Fleet(fleet, 1, sizes).write();
      Declaration declaration = Declaration.load(fleet);
      assertThat(declaration.warnings()).isEmpty();
      assertThat(declaration.recipes().values())
          .hasSize(2)
          .allMatch(recipe -> recipe.precision() == Recipe.Precision.BF16);
      assertThat(declaration.capability("basics").scorer().kind()).isEqualTo(ScorerKind.LIKELIHOOD);
      assertThat(declaration.suites(fleet).get("card-intents").size())
          .isEqualTo(sizes.scale().testItems());
    }
  }

  @Test
  void goesOnWithTheFoundationThatItWasBegunWithOnly() throws IOException {
    Path model = model();
    Path fleet = directory.resolve("fleet");
    new Fleet(fleet, 1, Sizes.OWN_QUICK).write();
    try (Cambium cambium =
        Cambium.create(
            fleet,
            Files.readString(fleet.resolve("ecosystem.yaml")),
            "me",
            InstantSource.system())) {
      cambium.importVersion(model, "base", Tier.FOUNDATION, null, OwnFoundation.of(model).note());
    }
    List<String> told = new ArrayList<>();
    Demo demo = new Demo(new Demo.Options(fleet, 1, true, null, "me"), Progress.NONE, told::add);
    Files.createDirectories(fleet.resolve("foundations").resolve("v1"));
    assertThatThrownBy(demo::run)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("begun with another foundation")
        .hasMessageContaining(model.toString());
  }
}
