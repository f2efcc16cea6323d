package dev.cambium.report.fleet;

import dev.cambium.ledger.LedgerState;
import dev.cambium.ledger.Recorded;
import dev.cambium.loop.Cambium;
import dev.cambium.loop.declaration.Declaration;
import dev.cambium.loop.declaration.Line;
import dev.cambium.loop.explain.WhyNode;
import dev.cambium.loop.gate.Verdict;
import dev.cambium.model.Channel;
import dev.cambium.model.Fact;
import dev.cambium.model.VersionRef;
import dev.cambium.report.AccuracyTable;
import dev.cambium.report.FleetGraph;
import dev.cambium.report.LineState;
import dev.cambium.report.Terms;
import dev.cambium.report.VerdictView;
import dev.cambium.report.WhyTree;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/** Draws an ecosystem from its records. */
public final class FleetViews {

  private final Cambium cambium;
  private final Declaration declaration;

  public FleetViews(Cambium cambium) {
    this.cambium = cambium;
    this.declaration = cambium.declare();
  }

  /** The fleet as it stands. */
  public FleetGraph now(String title) {
    return at(title, cambium.state().size(), Map.of());
  }

  /** The fleet as it was just before a campaign. */
  public FleetGraph before(String title, String campaign) {
    return at(title, opened(campaign).index(), Map.of());
  }

  /** The fleet as a campaign left it, each line marked by how it came out. */
  public FleetGraph after(String title, String campaign) {
    Map<String, Fact.LineSettled> settled = new HashMap<>();
    cambium.settlements(campaign).forEach(s -> settled.put(s.line(), s));
    long end =
        cambium
            .state()
            .campaign(campaign)
            .flatMap(LedgerState.CampaignState::closed)
            .map(Recorded::index)
            .orElse(cambium.state().size());
    return at(title, end, settled);
  }

  private Recorded<Fact.CampaignOpened> opened(String campaign) {
    return cambium.state().campaign(campaign).orElseThrow().opened();
  }

  private FleetGraph at(String title, long record, Map<String, Fact.LineSettled> settled) {
    List<FleetGraph.Node> nodes = new ArrayList<>();
    List<FleetGraph.Edge> edges = new ArrayList<>();
    for (Line line : declaration.lines().values()) {
      Recorded<Fact.ChannelMoved> move = null;
      for (Recorded<Fact.ChannelMoved> m :
          cambium.state().channelHistory(line.name(), Channel.STABLE)) {
        if (m.index() < record) {
          move = m;
        }
      }
      VersionRef stable = move == null ? null : move.fact().to();
      Fact.LineSettled settlement = settled.get(line.name());
      LineState state =
          settlement != null
              ? LineState.of(settlement.settlement())
              : settled.isEmpty()
                      && move != null
                      && move.fact().movement() == Fact.Movement.ROLLBACK
                  ? LineState.ROLLED_BACK
                  : LineState.UNCHANGED;
      nodes.add(
          new FleetGraph.Node(
              line.name(),
              line.tier(),
              stable,
              state,
              accuracy(stable),
              settlement == null ? "" : settlement.reason()));
      line.above().forEach(above -> edges.add(new FleetGraph.Edge(above, line.name())));
    }
    return new FleetGraph(title, nodes, edges);
  }

  /** Mean score over the contract, from the latest verdict that measured the version. */
  private OptionalDouble accuracy(@Nullable VersionRef version) {
    if (version == null) {
      return OptionalDouble.empty();
    }
    OptionalDouble found = OptionalDouble.empty();
    for (Recorded<Fact.VerdictReached> recorded : cambium.state().verdicts(version)) {
      Verdict verdict = cambium.evidence(recorded.fact().evidence());
      if (verdict.inherited() != null && verdict.reference() != null) {
        found = accuracy(verdict.reference());
      } else if (!verdict.capabilities().isEmpty()) {
        found =
            verdict.capabilities().stream()
                .filter(c -> c.evaluated() > 0)
                .mapToDouble(Verdict.OfCapability::candidateScore)
                .average();
      }
    }
    return found;
  }

  /** Scores per capability, before and after, as the gates of some verdicts measured them. */
  public static AccuracyTable accuracy(String title, List<Verdict> verdicts) {
    List<AccuracyTable.Line> rows = new ArrayList<>();
    for (Verdict verdict : verdicts) {
      for (Verdict.OfCapability c : verdict.capabilities()) {
        if (c.evaluated() == 0) {
          continue;
        }
        rows.add(
            new AccuracyTable.Line(
                c.capability(),
                verdict.candidate().toString(),
                c.referenceScore() == null ? null : estimate(c.referenceScore(), c.evaluated()),
                estimate(c.candidateScore(), c.evaluated()),
                c.flips().negative(),
                c.flips().positive()));
      }
    }
    return new AccuracyTable(title, rows);
  }

  private static AccuracyTable.Estimate estimate(double score, int items) {
    int right = (int) Math.round(score * items);
    var interval = dev.cambium.stats.Wilson.interval(right, items, 0.95);
    return new AccuracyTable.Estimate(right, items, interval.lower(), interval.upper());
  }

  /** A verdict with its evidence. */
  public static VerdictView verdict(Verdict verdict) {
    List<VerdictView.Evidence> evidence = new ArrayList<>();
    for (Verdict.OfCapability c : verdict.capabilities()) {
      Verdict.Course course = c.nonInferiority() != null ? c.nonInferiority() : c.aboveFloor();
      evidence.add(
          new VerdictView.Evidence(
              c.capability(),
              c.decision(),
              c.margin(),
              c.alpha(),
              c.items(),
              c.total(),
              c.referenceScore() == null ? Double.NaN : c.referenceScore(),
              c.candidateScore(),
              wealth(course == null ? List.of() : course.holding()),
              wealth(course == null ? List.of() : course.breaking()),
              c.slices().stream()
                  .filter(Verdict.OfSlice::collapsed)
                  .map(
                      s ->
                          new VerdictView.Slice(
                              s.tag() + ": " + s.value(),
                              s.items(),
                              s.referenceScore(),
                              s.candidateScore()))
                  .toList(),
              c.flips().positive(),
              c.flips().inCommon(),
              c.flips().examples().stream()
                  .map(
                      f ->
                          new VerdictView.Flip(
                              f.item(),
                              f.input(),
                              f.answer() == null ? "" : f.answer(),
                              f.before(),
                              f.after()))
                  .toList(),
              Optional.ofNullable(c.intended()).map(FleetViews::intended),
              note(c)));
    }
    Verdict.OfHeadroom headroom = verdict.headroom();
    return new VerdictView(
        verdict.candidate(),
        verdict.reference(),
        verdict.decision(),
        verdict.reason(),
        evidence,
        headroom == null
            ? null
            : new VerdictView.Headroom(
                headroom.decision(),
                headroom.reason(),
                headroom.measured() == null ? "" : headroom.measured().summary()));
  }

  private static VerdictView.Intended intended(Verdict.Intended intended) {
    StringBuilder summary =
        new StringBuilder(
            String.format(
                Locale.ROOT,
                "The suite has changed since (%s). The versions are compared on %d items that still"
                    + " hold; of %d others the candidate has %d right.",
                intended.change(),
                intended.compared(),
                intended.judged(),
                intended.right()));
    for (Verdict.Approval approval : intended.approvals()) {
      summary.append(
          String.format(
              Locale.ROOT,
              " Approved by %s in record %d: %s.",
              approval.actor(),
              approval.record(),
              approval.reason()));
    }
    return new VerdictView.Intended(
        summary.toString(),
        intended.examples().stream()
            .map(
                f ->
                    new VerdictView.Flip(
                        f.item(),
                        f.input(),
                        f.answer() == null ? "" : f.answer(),
                        f.before(),
                        f.after()))
            .toList());
  }

  /** Natural logarithms after each item to wealths after 0, 1, 2, … items. */
  private static List<Double> wealth(List<Double> logs) {
    List<Double> wealth = new ArrayList<>();
    wealth.add(1.0);
    logs.forEach(l -> wealth.add(Math.exp(l)));
    return wealth;
  }

  private static String note(Verdict.OfCapability c) {
    StringBuilder note = new StringBuilder(c.reason());
    note.append(
        String.format(
            Locale.ROOT, "; anytime-valid interval of the score %.3f to %.3f", c.low(), c.high()));
    Verdict.FixedSample fixed = c.fixedSample();
    if (fixed != null) {
      if (fixed.mcnemarP() != null) {
        note.append(String.format(Locale.ROOT, "; McNemar p = %.3g", fixed.mcnemarP()));
      }
      if (fixed.differenceLow() != null && fixed.differenceHigh() != null) {
        note.append(
            String.format(
                Locale.ROOT,
                "; bootstrap interval of the difference %+.3f to %+.3f",
                fixed.differenceLow(),
                fixed.differenceHigh()));
      }
    }
    if (c.noise() != null) {
      note.append(
          String.format(
              Locale.ROOT,
              "; noise floor: the reference against itself flipped %d of %d items",
              c.noise().flips(),
              c.noise().items()));
    }
    if (c.undecidable() > 0) {
      note.append("; ").append(c.undecidable()).append(" items undecidable");
    }
    if (!c.contaminated().isEmpty()) {
      note.append("; left out, because training data or a prompt's examples held them: ")
          .append(String.join(", ", c.contaminated()));
    }
    if (!c.searched().isEmpty()) {
      note.append("; left out, because a prompt was chosen by them: ")
          .append(String.join(", ", c.searched()));
    }
    return note.toString();
  }

  /** An explanation as a page shows it. */
  public static WhyTree why(WhyNode node) {
    return new WhyTree(cause(node));
  }

  private static WhyTree.Cause cause(WhyNode node) {
    List<Terms.Term> facts = new ArrayList<>();
    if (node.artifact() != null) {
      facts.add(new Terms.Term("artifact", node.artifact().toString(), true));
    }
    if (node.record() != null) {
      facts.add(new Terms.Term("record", node.record().toString(), false));
    }
    return new WhyTree.Cause(
        node.kind() + " " + node.label(),
        node.detail() == null ? "" : node.detail(),
        facts,
        node.because().stream().map(FleetViews::cause).toList());
  }
}
