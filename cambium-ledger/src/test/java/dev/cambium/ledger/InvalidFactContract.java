package dev.cambium.ledger;

import static dev.cambium.ledger.History.BANKING_1;
import static dev.cambium.ledger.History.BANKING_2;
import static dev.cambium.ledger.History.BASE_1;
import static dev.cambium.ledger.History.CARDS_1;
import static dev.cambium.ledger.History.artifact;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cambium.model.Channel;
import dev.cambium.model.Decision;
import dev.cambium.model.Digest;
import dev.cambium.model.Fact;
import dev.cambium.model.VersionKind;
import dev.cambium.model.VersionRef;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every row of the transition table: what is refused, and that a refusal leaves no trace. */
abstract class InvalidFactContract {

  /** The kind of database under test. */
  abstract TestStore stores();

  @TempDir Path directory;
  private Ledger ledger;

  @BeforeEach
  void create() {
    ledger = stores().create(directory, InstantSource.system());
    ledger.append("test", History.founding(), List.of());
  }

  @AfterEach
  void close() {
    assertThat(ledger.verify(digest -> Optional.empty()).findings()).isEmpty();
    ledger.close();
  }

  private void accept(Fact... facts) {
    ledger.append("test", List.of(facts), List.of());
  }

  private void refuse(Fact fact, String... parts) {
    long size = ledger.state().size();
    assertThatThrownBy(() -> ledger.append("test", List.of(fact), List.of()))
        .isInstanceOf(InvalidFactException.class)
        .satisfies(e -> assertThat(e.getMessage()).contains(parts));
    assertThat(ledger.state().size()).isEqualTo(size);
  }

  @Test
  void versions() {
    VersionRef travel = new VersionRef("travel", 1);
    refuse(History.model(new VersionRef("banking", 3), BASE_1), "banking@3", "is banking@2");
    refuse(History.model(BANKING_1, BASE_1), "banking@1", "is banking@2");
    refuse(History.model(travel, BANKING_2), "parent of travel@1, banking@2, is not registered");
    refuse(
        History.merged(travel, BASE_1, BANKING_1, BANKING_2),
        "what travel@1 was merged from, banking@2, is not registered");
    refuse(
        History.merged(travel, BASE_1, BANKING_1, BANKING_1),
        "travel@1 was merged from one version twice");
    refuse(History.model(travel, travel), "parent of travel@1, travel@1, is not registered");
    refuse(
        new Fact.VersionRegistered(
            travel,
            artifact("m"),
            VersionKind.ADAPTER,
            null,
            null,
            null,
            null,
            null,
            List.of(),
            ""),
        "travel@1 is an adapter and needs a parent");
    refuse(
        History.trained(BANKING_2, BASE_1, CARDS_1, artifact("t"), "c1"),
        "cannot be made from cards@1");
    refuse(
        History.trained(BANKING_2, BASE_1, BANKING_2, artifact("t"), "c1"),
        "predecessor of banking@2, banking@2, is not registered");
    refuse(
        History.trained(BANKING_2, BASE_1, BANKING_1, artifact("t"), "c1"),
        "the action " + artifact("t"));
    accept(History.finished(artifact("t")));
    refuse(
        History.trained(BANKING_2, BASE_1, BANKING_1, artifact("t"), "c1"),
        "version banking@2 belongs to campaign c1, which is not open (open: none)");
  }

  @Test
  void signals() {
    accept(History.dataSignal("s1", "banking"));
    refuse(History.dataSignal("s1", "cards"), "signal s1 was received before");
    refuse(
        new Fact.SignalReceived("s2", Fact.SignalKind.DATA, "banking", null, null, 5, null, ""),
        "s2 brings data, but no training rows");
    refuse(
        new Fact.SignalReceived(
            "s2", Fact.SignalKind.DATA, "banking", artifact("rows"), null, 0, null, ""),
        "s2 brings data, but no training rows");
    refuse(
        new Fact.SignalReceived("s2", Fact.SignalKind.UPSTREAM, "base", null, null, 0, null, ""),
        "s2 is of an upstream version, but names none");
    refuse(
        new Fact.SignalReceived(
            "s2", Fact.SignalKind.UPSTREAM, "base", null, null, 0, new VersionRef("base", 2), ""),
        "base@2, is not registered");
  }

  @Test
  void campaigns() {
    accept(History.dataSignal("s1", "banking"), History.dataSignal("s2", "banking"));
    refuse(History.opened("c1", "s9"), "signal s9, which was never received");
    refuse(History.opened("c1", "s1", "s1"), "names signal s1 twice");
    accept(History.opened("c1", "s1"));
    refuse(History.opened("c1", "s2"), "campaign c1 was opened before");
    refuse(History.opened("c2", "s2"), "c2 cannot be opened: campaign c1 is open");
    refuse(
        new Fact.DecisionTaken("c2", "start", true, ""),
        "campaign c2, which is not open (open: c1)");
    refuse(
        new Fact.CampaignClosed("c1", Fact.CampaignOutcome.RELEASED, Map.of("released", 1)),
        "{released=1}",
        "its settlements are {}");
    accept(
        new Fact.CampaignClosed(
            "c1", Fact.CampaignOutcome.DECLINED, new TreeMap<>(Map.of("released", 0))));
    refuse(
        new Fact.CampaignClosed("c1", Fact.CampaignOutcome.DECLINED, Map.of()),
        "campaign c1, which is not open");
    refuse(History.opened("c2", "s1"), "signal s1, which campaign c1 has taken up");
    accept(History.opened("c2", "s2"));
  }

  /** What one database would cut short or refuse, and another take, is refused over both. */
  @Test
  void texts() {
    refuse(History.dataSignal("s".repeat(256), "banking"), "256 characters, and may have 255");
    accept(History.dataSignal("\ud83d\ude00".repeat(255), "banking"));
    refuse(History.dataSignal("s\u0000", "banking"), "holds the character NUL");
    refuse(History.opened("c".repeat(256)), "256 characters, and may have 255");
    refuse(
        new Fact.ActionFinished(
            artifact("a"), "k".repeat(41), artifact("spec"), new TreeMap<>(), 1, "cpu"),
        "41 characters, and may have 40");
    refuse(
        new Fact.EcosystemDeclared("\u0000", artifact("yaml"), new TreeMap<>()),
        "the name of an ecosystem holds the character NUL");
    accept(History.dataSignal("' \" \\ % \n ? :x", "banking"));
  }

  @Test
  void approvedChangesOfSuites() {
    refuse(approved(artifact("new"), " "), "the suite of fees has no reason");
    refuse(
        approved(artifact("other"), "the fee is 7 now"), "but " + artifact("new") + " is in force");
    refuse(approved(artifact("old"), "the fee is 7 now"), "the suite of fees changes nothing");
    accept(approved(artifact("new"), "the fee is 7 now"));
  }

  private static Fact approved(Digest to, String reason) {
    return new Fact.EcosystemDeclared(
        "bank",
        artifact("yaml"),
        new TreeMap<>(Map.of("fees", artifact("new"))),
        new TreeMap<>(),
        new TreeMap<>(Map.of("fees", new Fact.SuiteApproval(artifact("old"), to, false, reason))));
  }

  @Test
  void settlements() {
    refuse(
        History.settled("c1", "banking", Fact.Settlement.KEPT, BANKING_1),
        "settlement of banking belongs to campaign c1, which is not open");
    accept(History.dataSignal("s1", "banking"), History.opened("c1", "s1"));
    refuse(
        History.settled("c1", "banking", Fact.Settlement.REJECTED, null),
        "names no version as its stable version, which is banking@1");
    refuse(
        History.settled("c1", "travel", Fact.Settlement.CUT_OFF, new VersionRef("travel", 1)),
        "names travel@1 as its stable version, which is no version");
    refuse(
        History.settled("c1", "banking", Fact.Settlement.RELEASED, BANKING_1),
        "stable channel has not moved since campaign c1 opened");
    accept(History.settled("c1", "banking", Fact.Settlement.CUT_OFF, BANKING_1));
    refuse(
        History.settled("c1", "banking", Fact.Settlement.HELD, BANKING_1),
        "c1 has settled banking already");
    accept(new Fact.CampaignClosed("c1", Fact.CampaignOutcome.REJECTED, Map.of("cut-off", 1)));
    refuse(History.settled("c1", "cards", Fact.Settlement.HELD, CARDS_1), "c1, which is not open");
  }

  @Test
  void actions() {
    accept(History.finished(artifact("a")));
    refuse(History.finished(artifact("a")), artifact("a") + " is recorded as finished already");
    for (double seconds : new double[] {-1, Double.POSITIVE_INFINITY}) {
      Fact.ActionFinished fact =
          new Fact.ActionFinished(
              artifact("b"), "train", artifact("spec"), new TreeMap<>(), seconds, "cpu");
      refuse(fact, "" + artifact("b").hex());
    }
  }

  @Test
  void verdicts() {
    refuse(
        History.verdict(BANKING_2, Decision.PASS, "e", null),
        "candidate of a verdict, banking@2, is not registered");
    refuse(
        new Fact.VerdictReached(BANKING_1, BANKING_2, Decision.PASS, artifact("e"), null),
        "reference of a verdict on banking@1, banking@2, is not registered");
    refuse(History.verdict(BANKING_1, Decision.PASS, "e", "c1"), "c1, which is not open");
  }

  @Test
  void channelMoves() {
    accept(History.model(BANKING_2, BASE_1));
    refuse(
        History.released(null, BANKING_2, "e"), "cannot move from no version: it is at banking@1");
    refuse(History.candidate(BANKING_1, BANKING_2), "from banking@1: it is at no version");
    refuse(History.candidate(null, new VersionRef("banking", 3)), "banking@3, is not registered");
    refuse(
        move("banking", Channel.CANDIDATE, null, CARDS_1, Fact.Movement.CANDIDATE),
        "cards@1, which is of another line");
    refuse(History.released(BANKING_1, BANKING_1, "evidence banking@1"), "is at banking@1 already");
    refuse(
        move("banking", Channel.STABLE, BANKING_1, BANKING_2, Fact.Movement.CANDIDATE),
        "moves by release or rollback");
    refuse(
        move("banking", Channel.CANDIDATE, null, BANKING_2, Fact.Movement.RELEASE),
        "not a channel to release on");
    refuse(History.rolledBack(BANKING_1, BANKING_2), "banking@2, where it never was");
    // Being the candidate is not having been stable.
    accept(History.candidate(null, BANKING_2));
    refuse(History.rolledBack(BANKING_1, BANKING_2), "banking@2, where it never was");
  }

  @Test
  void releases() {
    Consumer<String> refused =
        part -> refuse(History.released(BANKING_1, BANKING_2, "evidence banking@2"), part);
    accept(History.model(BANKING_2, BASE_1));
    refuse(History.released(BANKING_1, BANKING_2, null), "without the evidence of a verdict");
    refused.accept("no verdict on it has the evidence");
    // Somebody else's pass is not this version's.
    refuse(
        History.released(BANKING_1, BANKING_2, "evidence banking@1"),
        "no verdict on it has the evidence");
    accept(History.verdict(BANKING_2, Decision.INCONCLUSIVE, "evidence banking@2", null));
    refused.accept("is inconclusive, not pass");
    accept(History.verdict(BANKING_2, Decision.FAIL, "evidence banking@2", null));
    refused.accept("is inconclusive, fail, not pass");
    accept(History.verdict(BANKING_2, Decision.PASS, "other evidence", null));
    refused.accept("not pass");
    accept(move("banking", Channel.CANARY, null, BANKING_2, Fact.Movement.RELEASE));
    accept(History.released(BANKING_1, BANKING_2, "other evidence"));
    // A rollback needs no verdict, and is possible whatever else goes on.
    accept(History.dataSignal("s1", "banking"), History.opened("c1", "s1"));
    accept(History.rolledBack(BANKING_2, BANKING_1));
    assertThat(ledger.state().channel("banking", Channel.STABLE)).contains(BANKING_1);
  }

  private static Fact.ChannelMoved move(
      String line, Channel channel, VersionRef from, VersionRef to, Fact.Movement movement) {
    return new Fact.ChannelMoved(line, channel, from, to, movement, null, "");
  }
}
