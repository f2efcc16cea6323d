package dev.cambium.loop.explain;

import dev.cambium.artifact.ArtifactStore;
import dev.cambium.ledger.LedgerState;
import dev.cambium.ledger.Recorded;
import dev.cambium.loop.gate.Verdict;
import dev.cambium.model.Action;
import dev.cambium.model.Digest;
import dev.cambium.model.Fact;
import dev.cambium.model.Json;
import dev.cambium.model.Recipe;
import dev.cambium.model.VersionRef;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** Explains a version: who made it, from what, by which recipe and data, and who let it pass. */
public final class Why {

  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss", Locale.ROOT).withZone(ZoneOffset.UTC);

  private final LedgerState state;
  private final ArtifactStore store;

  /** The signals that brought data, by what they brought. */
  private final Map<Digest, LedgerState.SignalState> signals = new HashMap<>();

  public Why(LedgerState state, ArtifactStore store) {
    this.state = state;
    this.store = store;
  }

  /** A time as explanations give it: to the second, in UTC. */
  public static String time(Instant time) {
    return TIME.format(time);
  }

  /**
   * Explains a version and, in turn, what it is built on.
   *
   * @throws IllegalArgumentException if there is no such version
   */
  public WhyNode explain(VersionRef ref) {
    return version("version", ref);
  }

  private WhyNode version(String kind, VersionRef ref) {
    Recorded<Fact.VersionRegistered> recorded =
        state
            .version(ref)
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "no version " + ref + "; `cambium status` lists what there is"));
    Fact.VersionRegistered fact = recorded.fact();
    List<WhyNode> because = new ArrayList<>();
    if (fact.campaign() != null) {
      because.add(campaign(fact.campaign(), ref.line()));
    }
    if (fact.action() != null) {
      state.action(fact.action()).ifPresent(action -> because.add(action(action)));
    }
    for (Digest data : fact.data()) {
      because.add(data(data));
    }
    for (Recorded<Fact.VerdictReached> verdict : state.verdicts(ref)) {
      because.add(verdict(verdict));
    }
    for (Recorded<Fact.ChannelMoved> move : state.movesTo(ref)) {
      because.add(move(move));
    }
    if (fact.predecessor() != null) {
      because.add(
          new WhyNode(
              "predecessor",
              fact.predecessor().toString(),
              "the version it came after",
              null,
              null,
              List.of()));
    }
    if (fact.parent() != null) {
      because.add(version("parent", fact.parent()));
    }
    return new WhyNode(
        kind,
        ref.toString(),
        fact.kind().name().toLowerCase(Locale.ROOT)
            + " "
            + fact.manifest().brief()
            + (fact.rung() == null ? "" : ", by " + fact.rung().name().toLowerCase(Locale.ROOT))
            + ", "
            + stamp(recorded)
            + (fact.note().isEmpty() ? "" : ": " + fact.note()),
        recorded.index(),
        fact.manifest(),
        because);
  }

  private WhyNode campaign(String id, String line) {
    LedgerState.CampaignState campaign = state.campaign(id).orElseThrow();
    List<WhyNode> because = new ArrayList<>();
    for (String signal : campaign.opened().fact().signals()) {
      state
          .signal(signal)
          .ifPresent(
              s ->
                  because.add(
                      new WhyNode(
                          "signal",
                          signal,
                          describe(s.received().fact()) + ", " + stamp(s.received()),
                          s.received().index(),
                          null,
                          List.of())));
    }
    for (Recorded<Fact.DecisionTaken> decision : state.decisions(id)) {
      because.add(
          new WhyNode(
              "decision",
              decision.fact().point(),
              (decision.fact().approved() ? "approved" : "declined")
                  + ": "
                  + decision.fact().reason()
                  + ", "
                  + stamp(decision),
              decision.index(),
              null,
              List.of()));
    }
    state
        .settlement(id, line)
        .ifPresent(
            settled ->
                because.add(
                    new WhyNode(
                        "settlement",
                        line,
                        settled.fact().settlement().name().toLowerCase(Locale.ROOT)
                            + ": "
                            + settled.fact().reason()
                            + ", "
                            + stamp(settled),
                        settled.index(),
                        null,
                        List.of())));
    campaign
        .closed()
        .ifPresent(
            closed ->
                because.add(
                    new WhyNode(
                        "outcome",
                        closed.fact().outcome().name().toLowerCase(Locale.ROOT),
                        stamp(closed),
                        closed.index(),
                        null,
                        List.of())));
    return new WhyNode(
        "campaign", id, stamp(campaign.opened()), campaign.opened().index(), null, because);
  }

  private static String describe(Fact.SignalReceived signal) {
    return switch (signal.kind()) {
          case DATA -> signal.rows() + " rows for " + signal.line();
          case UPSTREAM -> signal.upstream() + " arrived";
        }
        + (signal.note().isEmpty() ? "" : " (" + signal.note() + ")");
  }

  private WhyNode action(Recorded<Fact.ActionFinished> recorded) {
    Fact.ActionFinished fact = recorded.fact();
    Action action = Json.read(store.bytes(fact.spec()), Action.class);
    List<WhyNode> because = new ArrayList<>();
    String detail;
    if (action instanceof Action.Train train) {
      Recipe recipe = train.recipe();
      detail =
          String.format(
              Locale.ROOT,
              "%s in %s, %d steps of %d rows, learning rate %.2g, seed %d, from %s",
              recipe.method().name().toLowerCase(Locale.ROOT),
              recipe.precision().name().toLowerCase(Locale.ROOT),
              recipe.steps(),
              recipe.batchRows(),
              recipe.learningRate(),
              train.seed(),
              name(train.start()));
      because.add(
          new WhyNode(
              "recipe",
              Json.digest(recipe).brief(),
              new String(Json.canonical(recipe), StandardCharsets.UTF_8),
              null,
              null,
              List.of()));
      for (Action.DataShare share : train.mix()) {
        because.add(
            new WhyNode(
                "mix",
                share.data().brief(),
                String.format(Locale.ROOT, "weight %.3g", share.weight()),
                null,
                share.data(),
                List.of()));
      }
    } else if (action instanceof Action.Transplant transplant) {
      detail =
          String.format(
              Locale.ROOT,
              "%s − %s, times %.2f, added to %s",
              name(transplant.tuned()),
              name(transplant.oldBase()),
              transplant.alpha(),
              name(transplant.newBase()));
    } else {
      detail = "";
    }
    return new WhyNode(
        "action",
        fact.kind() + " " + fact.action().brief(),
        String.format(Locale.ROOT, "%s, %.1f s, on %s", detail, fact.seconds(), fact.fingerprint()),
        recorded.index(),
        fact.spec(),
        because);
  }

  private String name(Digest manifest) {
    return state.versionsByManifest(manifest).stream()
        .findFirst()
        .map(v -> v.fact().version().toString())
        .orElse(manifest.brief());
  }

  private WhyNode data(Digest data) {
    if (signals.isEmpty()) {
      for (LedgerState.SignalState signal : state.signals()) {
        Digest train = signal.received().fact().train();
        if (train != null) {
          signals.putIfAbsent(train, signal);
        }
      }
    }
    Optional<LedgerState.SignalState> signal = Optional.ofNullable(signals.get(data));
    return new WhyNode(
        "data",
        data.brief(),
        signal
            .map(
                s ->
                    s.received().fact().signal()
                        + ": "
                        + describe(s.received().fact())
                        + ", "
                        + stamp(s.received()))
            .orElse(null),
        signal.map(s -> s.received().index()).orElse(null),
        data,
        List.of());
  }

  private WhyNode verdict(Recorded<Fact.VerdictReached> recorded) {
    Verdict verdict = Json.read(store.bytes(recorded.fact().evidence()), Verdict.class);
    List<WhyNode> because = new ArrayList<>();
    for (Verdict.OfCapability capability : verdict.capabilities()) {
      because.add(
          new WhyNode(
              "capability",
              capability.capability(),
              capability.decision() + ": " + capability.reason(),
              null,
              capability.suite(),
              capability.flips().inCommon().stream()
                  .map(text -> new WhyNode("in common", text, null, null, null, List.of()))
                  .toList()));
    }
    if (verdict.inherited() != null) {
      because.add(inherited(recorded.fact().candidate(), verdict.inherited()));
    }
    if (verdict.waiver() != null) {
      because.add(
          new WhyNode(
              "waiver",
              verdict.waiver().actor(),
              verdict.waiver().reason(),
              null,
              null,
              List.of()));
    }
    return new WhyNode(
        "verdict",
        verdict.decision() + (verdict.reference() == null ? "" : " against " + verdict.reference()),
        verdict.reason() + ", " + stamp(recorded),
        recorded.index(),
        recorded.fact().evidence(),
        because);
  }

  /** The verdict on what a version is built on, that stands for one of its own. */
  private WhyNode inherited(VersionRef version, Verdict.Inherited inherited) {
    List<WhyNode> because = new ArrayList<>();
    for (VersionRef ancestor : state.ancestors(version)) {
      for (Recorded<Fact.VerdictReached> verdict : state.verdicts(ancestor)) {
        if (verdict.fact().evidence().equals(inherited.evidence())) {
          because.add(verdict(verdict));
        }
      }
    }
    return new WhyNode(
        "inherited",
        inherited.evidence().brief(),
        "what it is built on answered " + inherited.items() + " items as before",
        null,
        inherited.evidence(),
        because);
  }

  private static WhyNode move(Recorded<Fact.ChannelMoved> recorded) {
    Fact.ChannelMoved fact = recorded.fact();
    return new WhyNode(
        "channel",
        fact.channel().label(),
        fact.movement().name().toLowerCase(Locale.ROOT)
            + (fact.from() == null ? "" : " from " + fact.from())
            + ", "
            + stamp(recorded)
            + (fact.reason().isEmpty() ? "" : ": " + fact.reason()),
        recorded.index(),
        fact.evidence(),
        List.of());
  }

  private static String stamp(Recorded<?> recorded) {
    return time(recorded.time()) + " by " + recorded.actor();
  }
}
