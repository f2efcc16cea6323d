package dev.cambium.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.cambium.loop.campaign.Approver;
import dev.cambium.loop.explain.TelemetryHistory;
import dev.cambium.model.Item;
import dev.cambium.model.Progress;
import dev.cambium.model.VersionRef;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TelemetryHistoryTest {

  @TempDir Path temp;

  @Test
  void everyTrainedVersionOfALineHasItsTelemetryAndWhatItsUpdateSharesWithEarlierOnes()
      throws IOException {
    Town town = new Town(temp.resolve("town"));
    try (Cambium cambium = town.create()) {
      town.found(cambium);
      cambium.run(Approver.ALWAYS, Progress.NONE);
      List<Item> items = new ArrayList<>(Town.items("c", "card", Town.ITEMS, "yes"));
      items.addAll(Town.items("n", "new card", 40, "new"));
      town.suite("cards", items);
      cambium.signalData(
          town.rows("new", Town.rows("new card", 40, "new")), "cards", false, false, "new");
      cambium.run(Approver.ALWAYS, Progress.NONE);

      List<TelemetryHistory.OfVersion> cards = cambium.telemetry().ofLine("cards");
      assertThat(cards)
          .extracting(TelemetryHistory.OfVersion::version)
          .containsExactly(VersionRef.parse("cards@1"), VersionRef.parse("cards@2"));
      assertThat(cards.get(0).overlaps()).isEmpty();
      assertThat(cards.get(1).telemetry().update().relativeNorm()).isEqualTo(0.5);
      // One source of rows then, the new one and the replayed one now: one direction in common.
      assertThat(cards.get(1).overlaps()).hasSize(1);
      TelemetryHistory.WithEarlier overlap = cards.get(1).overlaps().get(0);
      assertThat(overlap.earlier()).isEqualTo(VersionRef.parse("cards@1"));
      assertThat(overlap.shared()).isCloseTo(1, within(1e-6));
      assertThat(overlap.chance()).isCloseTo(0.25, within(1e-6));

      assertThat(cambium.telemetry().of(VersionRef.parse("base@1")))
          .as("it was imported")
          .isEmpty();
      assertThat(cambium.telemetry().of(VersionRef.parse("router@2")))
          .as("it was carried without training")
          .isEmpty();
    }
  }
}
