package dev.cambium.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cambium.model.Channel;
import dev.cambium.model.Decision;
import dev.cambium.model.Fact;
import dev.cambium.model.VersionRef;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Facts drawn at random, possible and impossible ones: whatever the ledger takes, replaying it from
 * zero gives the same projections, and its invariants hold.
 */
abstract class RandomHistoryContract {

  /** The kind of database under test. */
  abstract TestStore stores();

  private static final List<String> LINES = List.of("base", "banking", "cards");

  @TempDir Path directory;

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void replayingGivesWhatAppendingGave(long seed) throws SQLException {
    Random random = new Random(seed);
    try (Ledger ledger = stores().create(directory, InstantSource.system())) {
      int refused = 0;
      long recorded = ledger.append("test", History.founding(), List.of()).size();
      for (int i = 0; i < 300; i++) {
        List<Fact> facts = new ArrayList<>();
        for (int n = 1 + random.nextInt(2); n > 0; n--) {
          facts.add(draw(random));
        }
        try {
          recorded += ledger.append("test", facts, List.of()).size();
        } catch (InvalidFactException e) {
          refused++;
        }
        assertThat(ledger.state().size()).isEqualTo(recorded);
      }
      assertThat(recorded).isGreaterThan(20);
      assertThat(refused).isGreaterThan(20);
      assertThat(ledger.verify(digest -> Optional.empty()).findings()).isEmpty();
      assertInvariants(ledger.state());
      assertThat(stores().hasDanglingReferences(directory)).isFalse();
    }
  }

  private static void assertInvariants(LedgerState state) {
    assertThat(state.campaigns().stream().filter(c -> c.closed().isEmpty()).count())
        .isLessThanOrEqualTo(1);
    for (String line : state.lines()) {
      for (Channel channel : Channel.values()) {
        List<Recorded<Fact.ChannelMoved>> history = state.channelHistory(line, channel);
        VersionRef at = null;
        for (Recorded<Fact.ChannelMoved> move : history) {
          assertThat(move.fact().from()).isEqualTo(at);
          at = move.fact().to();
          if (channel == Channel.STABLE) {
            // Released or put back: never without a pass that came before.
            assertThat(state.verdicts(at))
                .anyMatch(v -> v.fact().decision() == Decision.PASS && v.index() < move.index());
          }
        }
        assertThat(state.channel(line, channel)).isEqualTo(Optional.ofNullable(at));
      }
      List<VersionRef> versions =
          state.versions(line).stream().map(v -> v.fact().version()).toList();
      for (int i = 0; i < versions.size(); i++) {
        assertThat(versions.get(i)).isEqualTo(new VersionRef(line, i + 1));
        for (VersionRef ancestor : state.ancestors(versions.get(i))) {
          assertThat(state.descendants(ancestor)).contains(versions.get(i));
        }
      }
    }
  }

  private static Fact draw(Random random) {
    String line = LINES.get(random.nextInt(LINES.size()));
    VersionRef version = new VersionRef(line, 1 + random.nextInt(3));
    VersionRef other = new VersionRef(line, 1 + random.nextInt(3));
    VersionRef from = random.nextBoolean() ? null : other;
    String campaign = "c" + (1 + random.nextInt(2));
    String signal = "s" + (1 + random.nextInt(3));
    return switch (random.nextInt(11)) {
      case 0, 1 -> History.model(version, line.equals("base") ? null : new VersionRef("base", 1));
      case 2 -> History.dataSignal(signal, line);
      case 3 -> History.opened(campaign, signal);
      case 4 -> History.finished(History.artifact("action " + random.nextInt(5)));
      case 5, 6 ->
          History.verdict(
              version,
              Decision.values()[random.nextInt(3)],
              "evidence " + version,
              random.nextBoolean() ? null : campaign);
      case 7, 8 -> History.released(from, version, "evidence " + version);
      case 9 -> History.rolledBack(other, version);
      default ->
          random.nextBoolean()
              ? History.candidate(from, version)
              : new Fact.CampaignClosed(campaign, Fact.CampaignOutcome.REJECTED, Map.of());
    };
  }
}
