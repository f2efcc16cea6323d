package dev.cambium.ledger;

import dev.cambium.model.Channel;
import dev.cambium.model.Decision;
import dev.cambium.model.Digest;
import dev.cambium.model.Fact;
import dev.cambium.model.Rung;
import dev.cambium.model.VersionKind;
import dev.cambium.model.VersionRef;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Facts for tests: short ways to write them, and a life of a small ecosystem. */
final class History {

  static final VersionRef BASE_1 = new VersionRef("base", 1);
  static final VersionRef BANKING_1 = new VersionRef("banking", 1);
  static final VersionRef BANKING_2 = new VersionRef("banking", 2);
  static final VersionRef CARDS_1 = new VersionRef("cards", 1);
  static final Digest NEW_DATA = artifact("new-data");

  private History() {}

  static Digest artifact(String content) {
    return Digest.ofText(content);
  }

  static Fact.EcosystemDeclared declared() {
    return new Fact.EcosystemDeclared(
        "bank", artifact("ecosystem.yaml"), new TreeMap<>(Map.of("intents", artifact("suite"))));
  }

  static Fact.VersionRegistered model(VersionRef version, @Nullable VersionRef parent) {
    return new Fact.VersionRegistered(
        version,
        artifact("manifest " + version),
        VersionKind.MODEL,
        parent,
        null,
        null,
        null,
        null,
        List.of(artifact("data of " + version)),
        "imported");
  }

  static Fact.VersionRegistered adapter(VersionRef version, VersionRef parent) {
    return new Fact.VersionRegistered(
        version,
        artifact("manifest " + version),
        VersionKind.ADAPTER,
        parent,
        null,
        null,
        null,
        null,
        List.of(),
        "imported");
  }

  static Fact.VersionRegistered merged(
      VersionRef version, VersionRef parent, VersionRef... sources) {
    return new Fact.VersionRegistered(
        version,
        artifact("manifest " + version),
        VersionKind.MODEL,
        parent,
        null,
        null,
        null,
        null,
        List.of(),
        List.of(sources),
        "merged");
  }

  static Fact.VersionRegistered trained(
      VersionRef version,
      VersionRef parent,
      VersionRef predecessor,
      Digest action,
      String campaign,
      Digest... data) {
    return new Fact.VersionRegistered(
        version,
        artifact("manifest " + version),
        VersionKind.MODEL,
        parent,
        predecessor,
        Rung.RETRAIN,
        action,
        campaign,
        List.of(data),
        "trained");
  }

  static Fact.VerdictReached verdict(
      VersionRef candidate, Decision decision, String evidence, @Nullable String campaign) {
    return new Fact.VerdictReached(candidate, null, decision, artifact(evidence), campaign);
  }

  static Fact.ChannelMoved released(
      @Nullable VersionRef from, VersionRef to, @Nullable String evidence) {
    return new Fact.ChannelMoved(
        to.line(),
        Channel.STABLE,
        from,
        to,
        Fact.Movement.RELEASE,
        evidence == null ? null : artifact(evidence),
        "released");
  }

  static Fact.ChannelMoved candidate(@Nullable VersionRef from, VersionRef to) {
    return new Fact.ChannelMoved(
        to.line(), Channel.CANDIDATE, from, to, Fact.Movement.CANDIDATE, null, "made");
  }

  static Fact.ChannelMoved rolledBack(VersionRef from, VersionRef to) {
    return new Fact.ChannelMoved(
        to.line(), Channel.STABLE, from, to, Fact.Movement.ROLLBACK, null, "complaints");
  }

  static Fact.SignalReceived dataSignal(String signal, String line) {
    return new Fact.SignalReceived(
        signal,
        Fact.SignalKind.DATA,
        line,
        NEW_DATA,
        artifact("held-out"),
        120,
        null,
        "new intents");
  }

  static Fact.CampaignOpened opened(String campaign, String... signals) {
    return new Fact.CampaignOpened(campaign, List.of(signals), artifact("plan " + campaign));
  }

  static Fact.ActionFinished finished(Digest action) {
    return new Fact.ActionFinished(
        action,
        "train",
        artifact("spec " + action),
        new TreeMap<>(Map.of("model.safetensors", artifact("weights " + action))),
        12.5,
        "cpu fp32");
  }

  static Fact.LineSettled settled(
      String campaign, String line, Fact.Settlement settlement, @Nullable VersionRef version) {
    return new Fact.LineSettled(campaign, line, settlement, version, null, "as measured");
  }

  /** A released base, and a banking model and a cards adapter on it: records 0 to 9. */
  static List<Fact> founding() {
    List<Fact> facts = new ArrayList<>();
    facts.add(declared());
    facts.add(model(BASE_1, null));
    facts.add(verdict(BASE_1, Decision.PASS, "evidence base@1", null));
    facts.add(released(null, BASE_1, "evidence base@1"));
    facts.add(model(BANKING_1, BASE_1));
    facts.add(verdict(BANKING_1, Decision.PASS, "evidence banking@1", null));
    facts.add(released(null, BANKING_1, "evidence banking@1"));
    facts.add(adapter(CARDS_1, BANKING_1));
    facts.add(verdict(CARDS_1, Decision.PASS, "evidence cards@1", null));
    facts.add(released(null, CARDS_1, "evidence cards@1"));
    return facts;
  }

  /** A campaign that releases banking@2: records 10 to 19. */
  static List<Fact> wave() {
    Digest train = artifact("train");
    List<Fact> facts = new ArrayList<>();
    facts.add(dataSignal("s1", "banking"));
    facts.add(opened("c1", "s1"));
    facts.add(new Fact.DecisionTaken("c1", "start", true, "--yes"));
    facts.add(finished(train));
    facts.add(trained(BANKING_2, BASE_1, BANKING_1, train, "c1", NEW_DATA));
    facts.add(candidate(null, BANKING_2));
    facts.add(verdict(BANKING_2, Decision.PASS, "evidence banking@2", "c1"));
    facts.add(released(BANKING_1, BANKING_2, "evidence banking@2"));
    facts.add(settled("c1", "banking", Fact.Settlement.RELEASED, BANKING_2));
    facts.add(new Fact.CampaignClosed("c1", Fact.CampaignOutcome.RELEASED, Map.of("released", 1)));
    return facts;
  }

  /** Founding, wave and a rollback, each fact appended alone: records 0 to 20. */
  static void live(Ledger ledger) {
    List<Fact> facts = new ArrayList<>(founding());
    facts.addAll(wave());
    facts.add(rolledBack(BANKING_2, BANKING_1));
    for (Fact fact : facts) {
      ledger.append("test", List.of(fact), List.of());
    }
  }

  /** Appends so many facts at once that have nothing to do with one another. */
  static void grow(Ledger ledger, int facts) {
    long size = ledger.state().size();
    List<Fact> more = new ArrayList<>();
    for (int i = 0; i < facts; i++) {
      more.add(finished(artifact("action " + (size + i))));
    }
    ledger.append("test", more, List.of());
  }
}
