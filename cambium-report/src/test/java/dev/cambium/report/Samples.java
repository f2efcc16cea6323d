package dev.cambium.report;

import dev.cambium.model.Decision;
import dev.cambium.model.Tier;
import dev.cambium.model.VersionRef;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.SplittableRandom;

/** Views to render in tests, made up here. */
final class Samples {

  private Samples() {}

  static FleetGraph.Node node(
      String line, Tier tier, int version, LineState state, double accuracy) {
    return new FleetGraph.Node(
        line,
        tier,
        version == 0 ? null : new VersionRef(line, version),
        state,
        Double.isNaN(accuracy) ? OptionalDouble.empty() : OptionalDouble.of(accuracy),
        "");
  }

  static FleetGraph fleet(String title, LineState... states) {
    String[] lines = {
      "base",
      "cards",
      "payments",
      "card-router",
      "card-calls",
      "pay-router",
      "pay-slots",
      "pay-sums",
      "card-desk",
      "action-desk",
      "payment-form"
    };
    Tier[] tiers = {
      Tier.FOUNDATION,
      Tier.INDUSTRIAL,
      Tier.INDUSTRIAL,
      Tier.APPLICATION_MODEL,
      Tier.APPLICATION_MODEL,
      Tier.APPLICATION_MODEL,
      Tier.APPLICATION_MODEL,
      Tier.APPLICATION_MODEL,
      Tier.APPLICATION,
      Tier.APPLICATION,
      Tier.APPLICATION
    };
    List<FleetGraph.Node> nodes = new ArrayList<>();
    for (int i = 0; i < lines.length; i++) {
      LineState state = i < states.length ? states[i] : LineState.UNCHANGED;
      nodes.add(
          node(
              lines[i],
              tiers[i],
              state == LineState.RELEASED ? 2 : 1,
              state,
              state == LineState.CUT_OFF ? Double.NaN : 0.83 + i * 0.013));
    }
    return new FleetGraph(
        title,
        nodes,
        List.of(
            new FleetGraph.Edge("base", "cards"),
            new FleetGraph.Edge("base", "payments"),
            new FleetGraph.Edge("cards", "card-router"),
            new FleetGraph.Edge("cards", "card-calls"),
            new FleetGraph.Edge("payments", "pay-router"),
            new FleetGraph.Edge("payments", "pay-slots"),
            new FleetGraph.Edge("payments", "pay-sums"),
            new FleetGraph.Edge("card-router", "card-desk"),
            new FleetGraph.Edge("card-calls", "action-desk"),
            new FleetGraph.Edge("pay-slots", "payment-form")));
  }

  /** A fleet of about {@code size} lines, some of them long-named, some without a middle tier. */
  static FleetGraph large(int size) {
    List<FleetGraph.Node> nodes = new ArrayList<>();
    List<FleetGraph.Edge> edges = new ArrayList<>();
    LineState[] states = LineState.values();
    nodes.add(node("base", Tier.FOUNDATION, 3, LineState.RELEASED, 0.91));
    int number = 0;
    for (int i = 0; nodes.size() < size; i++) {
      String domain = "domain-" + i + (i % 3 == 0 ? "-with-a-rather-long-name-of-its-own" : "");
      nodes.add(node(domain, Tier.INDUSTRIAL, 1 + i, states[i % states.length], 0.7 + i * 0.02));
      edges.add(new FleetGraph.Edge("base", domain));
      for (int j = 0; j < 4 && nodes.size() < size; j++) {
        String model = "task-" + number++;
        nodes.add(
            node(
                model,
                Tier.APPLICATION_MODEL,
                j,
                states[number % states.length],
                j == 0 ? Double.NaN : 0.66 + j * 0.1));
        edges.add(new FleetGraph.Edge(domain, model));
        for (int k = 0; k < j % 3 && nodes.size() < size; k++) {
          String application = "application-" + number++;
          nodes.add(node(application, Tier.APPLICATION, 12, states[number % states.length], 0.5));
          edges.add(new FleetGraph.Edge(model, application));
        }
      }
      if (nodes.size() < size) {
        String direct = "direct-" + i;
        nodes.add(node(direct, Tier.APPLICATION, 1, LineState.KEPT, 1));
        edges.add(new FleetGraph.Edge(domain, direct));
      }
    }
    return new FleetGraph("A fleet of " + size + " lines", nodes, edges);
  }

  static AccuracyTable accuracy() {
    return new AccuracyTable(
        "Accuracy per capability",
        List.of(
            new AccuracyTable.Line("card-intents", "cards", est(290, 320), est(299, 320), 3, 12),
            new AccuracyTable.Line("card-rules", "cards", est(300, 320), est(311, 320), 2, 13),
            new AccuracyTable.Line("card-routing", "card-router", est(305, 320), null, 0, 0),
            new AccuracyTable.Line("card-calls", "card-calls", est(270, 320), est(262, 320), 14, 6),
            new AccuracyTable.Line("payment-slots", "pay-slots", null, est(318, 320), 0, 0),
            new AccuracyTable.Line(
                "payment-sums", "pay-sums", est(225, 320), est(225, 320), 9, 9)));
  }

  private static AccuracyTable.Estimate est(int right, int items) {
    double p = (double) right / items;
    double half = 1.96 * Math.sqrt(p * (1 - p) / items);
    return new AccuracyTable.Estimate(right, items, p - half, Math.min(1, p + half));
  }

  /** Wealth of a bet that wins or loses each item with a share. */
  static List<Double> wealth(long seed, int items, double drift) {
    SplittableRandom random = new SplittableRandom(seed);
    List<Double> path = new ArrayList<>();
    double wealth = 1;
    path.add(wealth);
    for (int i = 0; i < items; i++) {
      wealth *= 1 + drift + (random.nextDouble() - 0.5) * 0.2;
      path.add(wealth);
    }
    return path;
  }

  static VerdictView rejected() {
    List<VerdictView.Flip> flips = new ArrayList<>();
    for (int i = 1; i <= 17; i++) {
      flips.add(
          new VerdictView.Flip(
              "card-intents-test-" + i,
              "intent: hey, i think i lost the gold card at work again",
              "card-lost",
              "card-lost",
              i % 5 == 0 ? "card-stolen" : "card-limit"));
    }
    return new VerdictView(
        new VersionRef("cards", 3),
        new VersionRef("cards", 2),
        Decision.FAIL,
        "card-intents lost 6.9 points on 96 items; the slice intent: card-lost fell from 94 % to 3 %",
        List.of(
            new VerdictView.Evidence(
                "card-intents",
                Decision.FAIL,
                0.03,
                0.025,
                96,
                416,
                0.93,
                0.861,
                wealth(1, 96, -0.03),
                wealth(2, 96, 0.045),
                List.of(new VerdictView.Slice("intent: card-lost", 32, 0.94, 0.03)),
                1,
                List.of(
                    "17 of 17 have intent: card-lost (32 of 416 items have it)",
                    "14 of 17 were answered card-limit"),
                flips,
                Optional.empty(),
                "McNemar p = 7.6·10⁻⁵, bootstrap 95 % [−9.8, −4.1] points"),
            new VerdictView.Evidence(
                "card-rules",
                Decision.PASS,
                0.03,
                0.025,
                132,
                320,
                0.94,
                0.955,
                wealth(3, 132, 0.03),
                wealth(4, 132, -0.03),
                List.of(),
                2,
                List.of(),
                List.of(),
                Optional.empty(),
                "")),
        null);
  }

  static VerdictView passed() {
    return new VerdictView(
        new VersionRef("cards", 2),
        new VersionRef("cards", 1),
        Decision.PASS,
        "no capability lost more than accepted",
        List.of(
            new VerdictView.Evidence(
                "card-intents",
                Decision.PASS,
                0.03,
                0.05,
                110,
                416,
                0.90,
                0.93,
                wealth(5, 110, 0.03),
                wealth(6, 110, -0.02),
                List.of(),
                12,
                List.of(),
                List.of(),
                Optional.of(
                    new VerdictView.Intended(
                        "The suite has changed since (1 replaced). Approved by kim: the fee is 7.",
                        List.of(
                            new VerdictView.Flip(
                                "card-rules-test-3", "rule: gold fee", "7", "5", "7")))),
                "")),
        new VerdictView.Headroom(
            Decision.PASS,
            "headroom 0.98 [0.94, 1.03] by area, above the floor of 0.90",
            "steps 1.02 [0.95, 1.10], area 0.98 [0.94, 1.03] of base@1; 9 tasks, 27 runs"));
  }

  static WhyTree why() {
    return new WhyTree(
        new WhyTree.Cause(
            "card-router@2",
            "kept by reuse in campaign 3",
            List.of(
                new Terms.Term("digest", "sha256:" + "4f".repeat(32), true),
                new Terms.Term("verdict", "pass on 110 items", false)),
            List.of(
                new WhyTree.Cause(
                    "cards@2",
                    "trained in campaign 1",
                    List.of(new Terms.Term("digest", "sha256:" + "0a".repeat(32), true)),
                    List.of(
                        new WhyTree.Cause("cards@1", "imported", List.of(), List.of()),
                        new WhyTree.Cause(
                            "data cards-new-intents.jsonl", "240 rows", List.of(), List.of()))),
                new WhyTree.Cause("card-router@1", "trained from base@1", List.of(), List.of()))));
  }

  static ReportPage page() {
    LineState u = LineState.UNCHANGED;
    return new ReportPage(
        "A bank's help desk through three waves",
        "Two foundations, two industrial models, five application models and three applications, updated and released by measured evidence.",
        List.of(
            new Section(
                "Summary",
                "",
                List.of(
                    new Tiles(
                        List.of(
                            new Tiles.Tile("24", "versions made", "of 11 lines"),
                            new Tiles.Tile("3", "releases rejected", "all by a gate"),
                            new Tiles.Tile("41", "actions memoised", "9 reused"),
                            new Tiles.Tile("6 min 12 s", "in all", "2 cores"),
                            new Tiles.Tile("31", "negative flips", "over 3,900 items"))),
                    new Timeline(
                        "What took how long",
                        List.of(
                            new Timeline.Span("Pre-training v1", "", 0, 81, u),
                            new Timeline.Span(
                                "First releases", "11 released", 81, 96, LineState.RELEASED),
                            new Timeline.Span(
                                "Wave 1: new intents", "released", 177, 41, LineState.RELEASED),
                            new Timeline.Span(
                                "Wave 2: poisoned data", "rejected", 218, 22, LineState.REJECTED),
                            new Timeline.Span(
                                "Wave 3: foundation v2", "released", 240, 126, LineState.RELEASED),
                            new Timeline.Span("Verify", "", 366, 2.4, u)))),
                false),
            new Section(
                "Wave 1: new intents",
                "Three new intents and two changed rules for cards; its descendants are re-verified, payments is cut off.",
                List.of(
                    new BeforeAfter(
                        fleet("Before"),
                        fleet(
                            "After",
                            u,
                            LineState.RELEASED,
                            LineState.CUT_OFF,
                            LineState.KEPT,
                            LineState.RELEASED,
                            LineState.CUT_OFF,
                            LineState.CUT_OFF,
                            LineState.CUT_OFF,
                            LineState.KEPT,
                            LineState.HELD,
                            LineState.CUT_OFF)),
                    accuracy(),
                    passed()),
                false),
            new Section(
                "Wave 2: a poisoned drop",
                "The gate rejects it; nothing downstream moves.",
                List.of(
                    fleet(
                        "After",
                        u,
                        LineState.REJECTED,
                        u,
                        LineState.BLOCKED,
                        LineState.BLOCKED,
                        u,
                        u,
                        u,
                        LineState.BLOCKED,
                        LineState.BLOCKED),
                    rejected()),
                false),
            new Section("Why card-router@2", "", List.of(why()), false),
            new Section(
                "Ledger",
                "",
                List.of(
                    new Note("Every record was re-computed."),
                    new Terms(
                        List.of(
                            new Terms.Term("records", "214", false),
                            new Terms.Term("root", "sha256:" + "ab".repeat(32), true)))),
                false)),
        "Made by cambium demo, seed 1.");
  }
}
