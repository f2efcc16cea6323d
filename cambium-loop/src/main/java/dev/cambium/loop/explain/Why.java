package dev.cambium.loop.explain;

import dev.cambium.artifact.ArtifactStore;
import dev.cambium.ledger.LedgerState;
import dev.cambium.ledger.Recorded;
import dev.cambium.loop.action.ActionRunner;
import dev.cambium.loop.gate.Verdict;
import dev.cambium.loop.governor.Choice;
import dev.cambium.loop.headroom.Headroom;
import dev.cambium.loop.plan.PromptSearch;
import dev.cambium.model.Action;
import dev.cambium.model.Application;
import dev.cambium.model.Channel;
import dev.cambium.model.Digest;
import dev.cambium.model.Fact;
import dev.cambium.model.Json;
import dev.cambium.model.Manifest;
import dev.cambium.model.Recipe;
import dev.cambium.model.VersionRef;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Explains a version: who made it, from what, by which recipe and data, and who let it pass. */
public final class Why {

  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss", Locale.ROOT).withZone(ZoneOffset.UTC);

  /** Actions that are looked at for attempts, the nearest before the line was settled. */
  private static final int ACTIONS = 400;

  private final LedgerState state;
  private final ArtifactStore store;
  private final Decisions decisions;

  /** The signals that brought data, by what they brought, as far as they were looked for. */
  private final Map<Digest, LedgerState.SignalState> signals = new HashMap<>();

  private final Set<String> signalled = new HashSet<>();
  private boolean allSignals;

  /** The signals of campaigns, which explain many versions. */
  private final Map<String, List<WhyNode>> answered = new HashMap<>();

  public Why(LedgerState state, ArtifactStore store) {
    this.state = state;
    this.store = store;
    this.decisions = new Decisions(state, store);
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

  /**
   * Explains a line, whether or not a version of it is in use: what campaigns tried for it, and how
   * each left it.
   *
   * @throws IllegalArgumentException if nothing was recorded about such a line
   */
  public WhyNode explain(String line) {
    List<WhyNode> because = new ArrayList<>();
    for (Recorded<Fact.LineSettled> settled : state.settlementsOf(line)) {
      because.add(campaign(settled.fact().campaign(), line, Optional.empty(), true));
    }
    List<Recorded<Fact.VersionRegistered>> versions = state.versions(line);
    for (Recorded<Fact.VersionRegistered> version : versions) {
      because.add(candidate(version));
    }
    if (because.isEmpty()) {
      throw new IllegalArgumentException(
          "nothing is recorded about a line '" + line + "'; `cambium status` lists the lines");
    }
    return new WhyNode(
        "line",
        line,
        state
            .channel(line, Channel.STABLE)
            .map(stable -> "stable is " + stable)
            .orElse("nothing is stable"),
        null,
        null,
        because);
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
    boolean asked = kind.equals("version");
    if (fact.campaign() != null) {
      because.add(campaign(fact.campaign(), ref.line(), Optional.of(fact), asked));
    } else {
      declaration(recorded.index()).ifPresent(because::add);
    }
    if (fact.action() != null) {
      state.action(fact.action()).ifPresent(action -> because.add(action("action", action)));
    }
    for (Digest data : fact.data()) {
      because.add(data(data, ref.line()));
    }
    for (Recorded<Fact.VerdictReached> verdict : state.verdicts(ref)) {
      because.add(verdict(verdict));
    }
    for (Recorded<Fact.ChannelMoved> move : state.movesTo(ref)) {
      because.add(move(move));
    }
    if (asked) {
      for (Recorded<Fact.LineSettled> settled : state.settlementsOf(ref.line())) {
        if (ref.equals(settled.fact().version())
            && !settled.fact().campaign().equals(fact.campaign())) {
          because.add(settlement(settled.fact().campaign(), settled));
        }
      }
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
    for (VersionRef source : fact.sources()) {
      because.add(version("source", source));
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

  /**
   * A campaign, as far as a line is concerned.
   *
   * @param made the version that is explained by it; none if the line is
   * @param attempts whether to tell what else was tried
   */
  private WhyNode campaign(
      String id, String line, Optional<Fact.VersionRegistered> made, boolean attempts) {
    LedgerState.CampaignState campaign = state.campaign(id).orElseThrow();
    List<WhyNode> because = new ArrayList<>();
    because.addAll(answered.computeIfAbsent(id, this::answered));
    declaration(campaign.opened().index()).ifPresent(because::add);
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
    decisions.of(id, line).ifPresent(choice -> because.add(mode(choice, campaign)));
    List<Recorded<Fact.LineSettled>> settlements = state.settlement(id, line).stream().toList();
    if (attempts) {
      long end = settlements.isEmpty() ? state.size() : settlements.get(0).index();
      because.addAll(attempts(campaign.opened().index(), end, line));
      for (Recorded<Fact.VersionRegistered> other : state.versions(line)) {
        if (id.equals(other.fact().campaign())
            && made.map(m -> !m.version().equals(other.fact().version())).orElse(false)) {
          because.add(candidate(other));
        }
      }
    }
    for (Recorded<Fact.LineSettled> settled : settlements) {
      because.add(settlement(line, settled));
    }
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

  /** The signals that a campaign answers, as it names them. */
  private List<WhyNode> answered(String campaign) {
    Map<String, WhyNode> nodes = new HashMap<>();
    for (LedgerState.SignalState signal : state.signalsOf(campaign)) {
      Recorded<Fact.SignalReceived> received = signal.received();
      nodes.put(
          received.fact().signal(),
          new WhyNode(
              "signal",
              received.fact().signal(),
              describe(received.fact()) + ", " + stamp(received),
              received.index(),
              null,
              List.of()));
    }
    return state.campaign(campaign).orElseThrow().opened().fact().signals().stream()
        .map(nodes::get)
        .filter(Objects::nonNull)
        .toList();
  }

  /** How the governor, or a person, chose to make an update. */
  private static WhyNode mode(Choice choice, LedgerState.CampaignState campaign) {
    List<WhyNode> because = new ArrayList<>();
    for (String reason : choice.reasons()) {
      because.add(new WhyNode("reason", reason, null, null, null, List.of()));
    }
    because.add(
        new WhyNode(
            "readings",
            new String(Json.canonical(choice.readings()), StandardCharsets.UTF_8),
            null,
            null,
            null,
            List.of()));
    if (choice.protect() != null) {
      because.add(
          new WhyNode(
              "protect",
              new String(Json.canonical(choice.protect()), StandardCharsets.UTF_8),
              null,
              null,
              null,
              List.of()));
    }
    return new WhyNode(
        "mode",
        choice.mode().label(),
        choice.overruled() == null
            ? "chosen by the governor"
            : "chosen by "
                + choice.overruled().actor()
                + " instead of "
                + choice.overruled().instead().label()
                + ": "
                + choice.overruled().reason(),
        campaign.opened().index(),
        campaign.opened().fact().plan(),
        because);
  }

  private static WhyNode settlement(String label, Recorded<Fact.LineSettled> settled) {
    return new WhyNode(
        "settlement",
        label,
        settled.fact().settlement().name().toLowerCase(Locale.ROOT).replace('_', '-')
            + ": "
            + settled.fact().reason()
            + ", "
            + stamp(settled),
        settled.index(),
        null,
        List.of());
  }

  /** The declaration in force when a record was written: what was promised then. */
  private Optional<WhyNode> declaration(long record) {
    return state
        .ecosystemAt(record)
        .map(
            declared ->
                new WhyNode(
                    "declaration",
                    declared.fact().name(),
                    "in force then, " + stamp(declared),
                    declared.index(),
                    declared.fact().declaration(),
                    List.of()));
  }

  /** A version of the same line, with what was found about it. */
  private WhyNode candidate(Recorded<Fact.VersionRegistered> other) {
    Fact.VersionRegistered fact = other.fact();
    return new WhyNode(
        "attempt",
        fact.version().toString(),
        (fact.rung() == null ? "" : "by " + fact.rung().name().toLowerCase(Locale.ROOT) + ", ")
            + stamp(other)
            + (fact.note().isEmpty() ? "" : ": " + fact.note()),
        other.index(),
        fact.manifest(),
        state.verdicts(fact.version()).stream().map(this::verdict).toList());
  }

  // ---------------------------------------------------------------------------------- attempts

  /**
   * What was made and measured for a line within a stretch of the log and came to no version: the
   * other steps of a search, the measurements that it went by, and those that only say how noisy
   * measuring is. What a verdict rests on is told with its items.
   */
  private List<WhyNode> attempts(long from, long to, String line) {
    List<Recorded<Fact.ActionFinished>> actions =
        new ArrayList<>(state.actionsWithin(from, to, ACTIONS));
    Collections.reverse(actions);
    Set<Digest> versions = new HashSet<>(); // manifests of the line's
    Set<Digest> makers = new HashSet<>(); // the actions that made these
    for (Recorded<Fact.VersionRegistered> version : state.versions(line)) {
      versions.add(version.fact().manifest());
      if (version.fact().action() != null) {
        makers.add(version.fact().action());
      }
    }
    Set<Digest> judged = // by items, which explanations of verdicts have
        state
            .ecosystemAt(from)
            .map(declared -> Set.copyOf(declared.fact().suites().values()))
            .orElse(Set.of());
    Map<Map<String, Digest>, String> tried = new HashMap<>(); // what made it, by its files
    Map<Digest, String> wordings = new HashMap<>(); // of searches, by manifest
    List<Action> specs =
        actions.stream()
            .map(recorded -> Json.read(store.bytes(recorded.fact().spec()), Action.class))
            .toList();
    for (Action action : specs) {
      if (action instanceof Action.Prompt search && versions.contains(search.current())) {
        for (Application wording : search.candidates()) {
          wordings.put(
              wording.on(search.parent()).digest(), wording.changeFrom(search.candidates().get(0)));
        }
      }
    }
    List<WhyNode> attempts = new ArrayList<>();
    for (int i = 0; i < specs.size(); i++) {
      Recorded<Fact.ActionFinished> recorded = actions.get(i);
      Action action = specs.get(i);
      boolean kept = makers.contains(recorded.fact().action());
      if (action instanceof Action.Evaluate evaluate) {
        Optional<String> measured =
            versions.contains(evaluate.version())
                ? Optional.of(name(evaluate.version()))
                : Optional.ofNullable(wordings.get(evaluate.version()))
                    .or(() -> maker(tried, evaluate.version()));
        if (!judged.contains(evaluate.suite())) {
          measured.ifPresent(of -> attempts.add(evaluation(recorded, evaluate, of)));
        }
      } else if (action instanceof Action.Probe) {
        continue; // told with the verdict that it was made for
      } else if (kept || action.versions().stream().anyMatch(versions::contains)) {
        tried.put(ActionRunner.files(recorded.fact()), label(recorded.fact()));
        if (!kept) {
          attempts.add(action("attempt", recorded));
        }
      }
    }
    return attempts;
  }

  /** What made a version that was never registered, if that was a try among these. */
  private Optional<String> maker(Map<Map<String, Digest>, String> tried, Digest version) {
    if (tried.isEmpty() || !store.has(version)) {
      return Optional.empty();
    }
    Map<String, Digest> files = new HashMap<>();
    Json.read(store.bytes(version), Manifest.class)
        .files()
        .forEach(file -> files.put(file.path(), file.digest()));
    return Optional.ofNullable(tried.get(files));
  }

  private static String label(Fact.ActionFinished action) {
    return action.kind() + " " + action.action().brief();
  }

  private WhyNode evaluation(
      Recorded<Fact.ActionFinished> recorded, Action.Evaluate evaluate, String of) {
    return new WhyNode(
        "evaluation",
        of,
        String.format(
            Locale.ROOT,
            "items %d to %d of %s, %s, %.1f s, %s",
            evaluate.from(),
            evaluate.to() - 1,
            suite(evaluate.suite()),
            evaluate.scorer().kind().name().toLowerCase(Locale.ROOT).replace('_', '-'),
            recorded.fact().seconds(),
            stamp(recorded)),
        recorded.index(),
        recorded.fact().spec(),
        List.of());
  }

  private String suite(Digest suite) {
    return state
        .ecosystem()
        .flatMap(
            declared ->
                declared.fact().suites().entrySet().stream()
                    .filter(entry -> entry.getValue().equals(suite))
                    .map(Map.Entry::getKey)
                    .findFirst())
        .orElse("suite " + suite.brief());
  }

  private static String describe(Fact.SignalReceived signal) {
    return switch (signal.kind()) {
          case DATA -> signal.rows() + " rows for " + signal.line();
          case UPSTREAM -> signal.upstream() + " arrived";
        }
        + (signal.note().isEmpty() ? "" : " (" + signal.note() + ")");
  }

  private WhyNode action(String kind, Recorded<Fact.ActionFinished> recorded) {
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
    } else if (action instanceof Action.Answer answer) {
      detail =
          String.format(
              Locale.ROOT,
              "what %s answers itself, where it is right by %s, temperature %.2g",
              name(answer.version()),
              answer.scorer().kind().name().toLowerCase(Locale.ROOT).replace('_', '-'),
              answer.temperature());
    } else if (action instanceof Action.Consolidate consolidate) {
      detail =
          String.format(
              "the adapter %s written into the weights of %s",
              name(consolidate.adapter()), name(consolidate.model()));
    } else if (action instanceof Action.Transplant transplant) {
      detail =
          String.format(
              Locale.ROOT,
              "%s − %s, times %.2f%s, added to %s",
              name(transplant.tuned()),
              name(transplant.oldBase()),
              transplant.alpha(),
              transplant.groups().isEmpty() ? "" : " and by group " + transplant.groups(),
              name(transplant.newBase()));
    } else if (action instanceof Action.Probe probe) {
      detail =
          String.format(
              Locale.ROOT,
              "%s learnt the tasks of %s, %d steps each",
              name(probe.version()),
              probe.tasks().brief(),
              probe.recipe().steps());
    } else if (action instanceof Action.Merge merge) {
      detail =
          merge.sources().stream()
                  .map(source -> name(source.adapter() == null ? source.model() : source.adapter()))
                  .collect(Collectors.joining(", "))
              + " merged by "
              + new String(Json.canonical(merge.method()), StandardCharsets.UTF_8)
              + (merge.base() == null ? "" : " as changes of " + name(merge.base()));
    } else if (action instanceof Action.Prompt search) {
      detail =
          String.format(
              "%d wordings of %s on %s, and that as it was, on items of %s that were set aside",
              search.candidates().size(),
              name(search.current()),
              name(search.parent()),
              search.parts().stream()
                  .map(Action.SearchPart::capability)
                  .collect(Collectors.joining(", ")));
      because.addAll(wordings(search, fact));
    } else if (action instanceof Action.Align align) {
      detail =
          String.format(
              Locale.ROOT,
              "%s − %s, taken to where its parts are in %s",
              name(align.tuned()),
              name(align.oldBase()),
              name(align.newBase()));
    } else if (action instanceof Action.Distill distill) {
      detail =
          String.format(
              Locale.ROOT,
              "taught by %s, %d steps of %d rows, seed %d, from %s",
              name(distill.teacher()),
              distill.recipe().steps(),
              distill.recipe().batchRows(),
              distill.seed(),
              name(distill.start()));
    } else {
      detail = "";
    }
    return new WhyNode(
        kind,
        label(fact),
        String.format(Locale.ROOT, "%s, %.1f s, on %s", detail, fact.seconds(), fact.fingerprint()),
        recorded.index(),
        fact.spec(),
        because);
  }

  /** What a search saw of each wording. */
  private List<WhyNode> wordings(Action.Prompt search, Fact.ActionFinished fact) {
    Digest output = fact.outputs().get(ActionRunner.PROMPT);
    if (output == null || !store.has(output)) {
      return List.of();
    }
    PromptSearch.Found found = Json.read(store.bytes(output), PromptSearch.Found.class);
    List<WhyNode> wordings = new ArrayList<>();
    for (PromptSearch.Look look : found.looks()) {
      wordings.add(
          new WhyNode(
              "wording",
              look.candidate() < 0
                  ? name(search.current())
                  : search
                      .candidates()
                      .get(look.candidate())
                      .changeFrom(search.candidates().get(0)),
              String.format(
                  Locale.ROOT,
                  "%.3f on %d items%s",
                  look.score(),
                  look.items(),
                  look.candidate() < 0
                      ? ", before"
                      : look.candidate() == found.best() ? ", the best" : ""),
              null,
              output,
              List.of()));
    }
    return wordings;
  }

  private String name(Digest manifest) {
    return state.versionsByManifest(manifest).stream()
        .findFirst()
        .map(v -> v.fact().version().toString())
        .orElse(manifest.brief());
  }

  /** The signal that brought some data. Mostly one for the line that learnt it, so these first. */
  private Optional<LedgerState.SignalState> source(Digest data, String line) {
    if (signalled.add(line)) {
      keep(state.signalsFor(line));
    }
    if (!signals.containsKey(data) && !allSignals) {
      keep(state.signals());
      allSignals = true;
    }
    return Optional.ofNullable(signals.get(data));
  }

  private void keep(List<LedgerState.SignalState> found) {
    for (LedgerState.SignalState signal : found) {
      Digest train = signal.received().fact().train();
      if (train != null) {
        signals.merge(
            train,
            signal,
            (one, other) -> one.received().index() <= other.received().index() ? one : other);
      }
    }
  }

  private WhyNode data(Digest data, String line) {
    Optional<LedgerState.SignalState> signal = source(data, line);
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
              found(capability)));
    }
    if (verdict.headroom() != null) {
      because.add(headroom(verdict.headroom()));
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

  /** What was found about a capability: what is lost, and what a changed suite asks for. */
  private static List<WhyNode> found(Verdict.OfCapability capability) {
    List<WhyNode> found = new ArrayList<>();
    for (String text : capability.flips().inCommon()) {
      found.add(new WhyNode("in common", text, null, null, null, List.of()));
    }
    Verdict.Intended intended = capability.intended();
    if (intended != null) {
      List<WhyNode> because = new ArrayList<>();
      for (Verdict.Approval approval : intended.approvals()) {
        because.add(
            new WhyNode(
                "approved",
                approval.actor(),
                approval.reason(),
                approval.record(),
                null,
                List.of()));
      }
      for (Verdict.IntendedFlip flip : intended.examples()) {
        because.add(
            new WhyNode(
                "intended flip",
                flip.item(),
                String.format(
                    Locale.ROOT,
                    "%swanted '%s', answered '%s' before, '%s' now",
                    flip.former() == null ? "" : "wanted '" + flip.former() + "' until then, ",
                    flip.answer(),
                    flip.before(),
                    flip.after()),
                null,
                null,
                List.of()));
      }
      found.add(
          new WhyNode(
              "suite changed",
              intended.change(),
              String.format(
                  Locale.ROOT,
                  "compared on %d items that still hold; of %d others %d are right, %d intended"
                      + " flips",
                  intended.compared(),
                  intended.judged(),
                  intended.right(),
                  intended.flips()),
              null,
              intended.from(),
              because));
    }
    return found;
  }

  private WhyNode headroom(Verdict.OfHeadroom headroom) {
    Headroom measured = headroom.measured();
    List<WhyNode> probes = new ArrayList<>();
    if (measured != null) {
      for (Digest probe : List.of(measured.probe(), measured.reference())) {
        state.action(probe).ifPresent(done -> probes.add(action("probe", done)));
      }
    }
    return new WhyNode(
        "headroom",
        headroom.decision().toString(),
        headroom.reason() + (measured == null ? "" : "; " + measured.summary()),
        null,
        measured == null ? null : measured.taskset(),
        probes);
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
