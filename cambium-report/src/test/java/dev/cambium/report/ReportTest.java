package dev.cambium.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import dev.cambium.model.Decision;
import dev.cambium.model.Fact;
import dev.cambium.model.Tier;
import dev.cambium.model.VersionRef;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.regex.Pattern;
import javax.xml.XMLConstants;
import javax.xml.parsers.DocumentBuilder;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;

class ReportTest {

  private static final String NASTY =
      "<script>alert(1)</script> \"quoted\" 'single' & ]]> \u001b[31mred\u001b[0m \u0000\u0007\u0085"
          + " \u202egnp.exe\u202c \ud800 \uffff --> <!--";

  private static Document parse(String markup) throws Exception {
    DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
    factory.setFeature(XMLConstants.FEATURE_SECURE_PROCESSING, true);
    DocumentBuilder builder = factory.newDocumentBuilder();
    builder.setErrorHandler(null);
    return builder.parse(new InputSource(new StringReader(markup)));
  }

  private static List<Element> elements(Document document, String tag) {
    NodeList nodes = document.getElementsByTagName(tag);
    List<Element> elements = new ArrayList<>();
    for (int i = 0; i < nodes.getLength(); i++) {
      elements.add((Element) nodes.item(i));
    }
    return elements;
  }

  private static List<Element> ofClass(Document document, String tag, String name) {
    return elements(document, tag).stream()
        .filter(e -> List.of(e.getAttribute("class").split(" ")).contains(name))
        .toList();
  }

  @Test
  void aPageIsWellFormedAndHoldsNothingFromOutside() throws Exception {
    String html = Samples.page().html();
    Document page = parse(html);
    assertThat(html).startsWith("<!DOCTYPE html>");
    assertThat(elements(page, "script")).isEmpty();
    assertThat(elements(page, "link")).isEmpty();
    assertThat(elements(page, "img")).isEmpty();
    assertThat(html).doesNotContain("@import").doesNotContain("url(");
    assertThat(html.replace("http://www.w3.org/", ""))
        .doesNotContain("http:")
        .doesNotContain("https:");
    assertThat(elements(page, "meta"))
        .anyMatch(m -> m.getAttribute("content").contains("default-src 'none'"));
  }

  @Test
  void everyPartCanBeReachedAndEveryPictureHasWords() throws Exception {
    Document page = parse(Samples.page().html());
    Set<String> ids = new HashSet<>();
    for (String tag : List.of("section")) {
      elements(page, tag).forEach(e -> assertThat(ids.add(e.getAttribute("id"))).isTrue());
    }
    List<Element> links = elements(page, "a");
    assertThat(links).hasSize(5);
    assertThat(links).allMatch(a -> ids.contains(a.getAttribute("href").substring(1)));
    assertThat(elements(page, "svg"))
        .isNotEmpty()
        .allMatch(s -> s.getAttribute("role").equals("img"))
        .allMatch(s -> !s.getAttribute("aria-label").isBlank());
    assertThat(elements(page, "th")).allMatch(t -> !t.getAttribute("scope").isEmpty());
  }

  @Test
  void everyTextIsShownAndNoneIsObeyed() throws Exception {
    VersionRef version = new VersionRef("x", 1);
    FleetGraph graph =
        new FleetGraph(
            NASTY,
            List.of(
                new FleetGraph.Node(
                    NASTY, Tier.FOUNDATION, version, LineState.KEPT, OptionalDouble.of(1), NASTY)),
            List.of());
    ReportPage page =
        new ReportPage(
            NASTY,
            NASTY,
            List.of(
                new Section(
                    NASTY,
                    NASTY,
                    List.of(
                        new Note(NASTY),
                        new Tiles(List.of(new Tiles.Tile(NASTY, NASTY, NASTY))),
                        new Terms(List.of(new Terms.Term(NASTY, NASTY, true))),
                        graph,
                        new BeforeAfter(graph, graph),
                        new AccuracyTable(
                            NASTY, List.of(new AccuracyTable.Line(NASTY, NASTY, null, null, 0, 0))),
                        new VerdictView(
                            version,
                            null,
                            Decision.FAIL,
                            NASTY,
                            List.of(
                                new VerdictView.Evidence(
                                    NASTY,
                                    Decision.FAIL,
                                    0.1,
                                    0.05,
                                    1,
                                    1,
                                    1,
                                    0,
                                    List.of(1.0, 2.0),
                                    List.of(1.0, 0.5),
                                    List.of(new VerdictView.Slice(NASTY, 1, 1, 0)),
                                    0,
                                    List.of(NASTY),
                                    List.of(
                                        new VerdictView.Flip(NASTY, NASTY, NASTY, NASTY, NASTY)),
                                    Optional.of(
                                        new VerdictView.Intended(
                                            NASTY,
                                            List.of(
                                                new VerdictView.Flip(
                                                    NASTY, NASTY, NASTY, NASTY, NASTY)))),
                                    NASTY)),
                            new VerdictView.Headroom(Decision.INCONCLUSIVE, NASTY, NASTY)),
                        new Plot(
                            NASTY,
                            NASTY,
                            List.of(NASTY),
                            List.of(
                                new Plot.Series(NASTY, List.of(Plot.Point.of(0, 1))),
                                new Plot.Series(NASTY, List.of(Plot.Point.of(0, 2)))),
                            new Plot.Limit(NASTY, 1),
                            Plot.Form.NUMBER),
                        new TextTable(
                            NASTY,
                            List.of(NASTY, NASTY),
                            List.of(List.of(TextTable.Cell.of(NASTY), TextTable.Cell.said(NASTY))),
                            NASTY,
                            true),
                        new Timeline(
                            NASTY, List.of(new Timeline.Span(NASTY, NASTY, 0, 1, LineState.HELD))),
                        new WhyTree(new WhyTree.Cause(NASTY, NASTY, List.of(), List.of()))),
                    true)),
            NASTY);
    for (String markup : List.of(page.html(), graph.svg(), graph.html())) {
      Document parsed = parse(markup);
      assertThat(elements(parsed, "script")).isEmpty();
      assertThat(parsed.getDocumentElement().getTextContent())
          .contains("<script>alert(1)</script>");
      assertThat(markup.chars()).noneMatch(c -> (c < 0x20 && c != '\n') || c == 0x7f || c == 0x85);
      assertThat(markup.codePoints()).noneMatch(c -> c >= 0x202a && c <= 0x202e);
      assertThat(markup.codePoints()).noneMatch(c -> c >= 0xd800 && c <= 0xdfff);
      assertThat(markup).contains("␛[31mred");
    }
  }

  @Test
  void escapingKeepsWhatIsHarmless() {
    assertThat(Markup.escape("Größe, 東京, 😀\tand\nmore")).isEqualTo("Größe, 東京, 😀\tand\nmore");
    assertThat(Markup.escape("a<b & \"c\"")).isEqualTo("a&lt;b &amp; &quot;c&quot;");
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 5, 26, 27, 100, 300})
  void linesStandInTheirTiersColumnAndNoTwoOverlap(int size) throws Exception {
    FleetGraph graph = Samples.large(size);
    Document drawing = parse(graph.svg());
    List<Element> boxes = ofClass(drawing, "rect", "box");
    assertThat(boxes).hasSize(size);
    String[] view = drawing.getDocumentElement().getAttribute("viewBox").split(" ");
    double right = Double.parseDouble(view[0]) + Double.parseDouble(view[2]);
    double bottom = Double.parseDouble(view[1]) + Double.parseDouble(view[3]);
    Set<String> columns = new HashSet<>();
    for (int i = 0; i < size; i++) {
      double[] one = corners(boxes.get(i));
      assertThat(one[2]).isLessThanOrEqualTo(right);
      assertThat(one[3]).isLessThanOrEqualTo(bottom);
      columns.add(graph.nodes().get(i).tier() + " " + one[0]);
      for (int j = 0; j < i; j++) {
        double[] other = corners(boxes.get(j));
        boolean apart =
            one[0] >= other[2] || other[0] >= one[2] || one[1] >= other[3] || other[1] >= one[3];
        assertThat(apart)
            .as("%s and %s", graph.nodes().get(i).line(), graph.nodes().get(j).line())
            .isTrue();
      }
    }
    Set<Tier> tiers = new HashSet<>();
    graph.nodes().forEach(n -> tiers.add(n.tier()));
    assertThat(columns).hasSize(tiers.size());
    assertThat(ofClass(drawing, "path", "edge")).hasSize(graph.edges().size());
  }

  private static double[] corners(Element box) {
    double x = Double.parseDouble(box.getAttribute("x"));
    double y = Double.parseDouble(box.getAttribute("y"));
    return new double[] {
      x,
      y,
      x + Double.parseDouble(box.getAttribute("width")),
      y + Double.parseDouble(box.getAttribute("height"))
    };
  }

  @Test
  void anEdgeStartsAtItsParentAndEndsAtItsChild() throws Exception {
    FleetGraph graph = Samples.fleet("Fleet", LineState.RELEASED);
    Document drawing = parse(graph.svg());
    List<Element> boxes = ofClass(drawing, "rect", "box");
    List<Element> edges = ofClass(drawing, "path", "edge");
    List<String> lines = graph.nodes().stream().map(FleetGraph.Node::line).toList();
    Pattern numbers = Pattern.compile("-?[0-9.]+");
    for (int i = 0; i < edges.size(); i++) {
      double[] parent = corners(boxes.get(lines.indexOf(graph.edges().get(i).parent())));
      double[] child = corners(boxes.get(lines.indexOf(graph.edges().get(i).child())));
      List<Double> path =
          numbers
              .matcher(edges.get(i).getAttribute("d"))
              .results()
              .map(m -> Double.valueOf(m.group()))
              .toList();
      assertThat(path.get(0)).isCloseTo(parent[2], within(0.2));
      assertThat(path.get(1)).isCloseTo((parent[1] + parent[3]) / 2, within(0.2));
      assertThat(path.get(6)).isCloseTo(child[0], within(0.2));
      assertThat(path.get(7)).isCloseTo((child[1] + child[3]) / 2, within(0.2));
    }
  }

  @Test
  void aCycleIsDrawnAndNotFollowedForever() throws Exception {
    FleetGraph graph =
        new FleetGraph(
            "Broken",
            List.of(
                Samples.node("a", Tier.INDUSTRIAL, 1, LineState.BROKEN, 0.5),
                Samples.node("b", Tier.INDUSTRIAL, 1, LineState.BROKEN, 0.5)),
            List.of(new FleetGraph.Edge("a", "b"), new FleetGraph.Edge("b", "a")));
    assertThat(ofClass(parse(graph.svg()), "rect", "box")).hasSize(2);
  }

  @Test
  void anEmptyFleetIsAPictureToo() throws Exception {
    assertThat(parse(new FleetGraph("Nothing", List.of(), List.of()).svg())).isNotNull();
  }

  @Test
  void aGraphRefusesWhatItCannotDraw() {
    FleetGraph.Node node = Samples.node("a", Tier.FOUNDATION, 1, LineState.KEPT, 1);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new FleetGraph("", List.of(node, node), List.of()))
        .withMessageContaining("twice: a");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new FleetGraph("", List.of(node), List.of(new FleetGraph.Edge("a", "b"))))
        .withMessageContaining("a → b");
  }

  @Test
  void everySettlementHasAState() {
    for (Fact.Settlement settlement : Fact.Settlement.values()) {
      assertThat(LineState.of(settlement).name()).isEqualTo(settlement.name());
    }
  }

  @Test
  void anIntervalReachesFromLowToHighOnTheSharedAxis() throws Exception {
    AccuracyTable table =
        new AccuracyTable(
            "t",
            List.of(
                new AccuracyTable.Line(
                    "a",
                    "",
                    new AccuracyTable.Estimate(80, 100, 0.7, 0.9),
                    new AccuracyTable.Estimate(90, 100, 0.8, 1.0),
                    3,
                    13),
                new AccuracyTable.Line(
                    "b", "", null, new AccuracyTable.Estimate(0, 0, 0, 1), 0, 0)));
    Document page = parse(page(table));
    Element before = ofClass(page, "circle", "before").get(0);
    Element after = ofClass(page, "circle", "after").get(0);
    double[] first = ends(ofClass(page, "path", "before").get(0));
    double[] second = ends(ofClass(page, "path", "after").get(0));
    assertThat(x(before)).isCloseTo((first[0] + first[1]) / 2, within(0.2));
    assertThat(x(after)).isCloseTo(first[1], within(0.2));
    assertThat(x(before)).isCloseTo(second[0], within(0.2));
    assertThat(ofClass(page, "circle", "dot")).as("nothing measured, nothing drawn").hasSize(2);
    assertThat(page.getDocumentElement().getTextContent()).contains("+10.0").contains("3 / 13");
  }

  private static double x(Element circle) {
    return Double.parseDouble(circle.getAttribute("cx"));
  }

  private static double[] ends(Element interval) {
    String[] parts = interval.getAttribute("d").split("[MH ]");
    return new double[] {Double.parseDouble(parts[1]), Double.parseDouble(parts[3])};
  }

  private static String page(Block... blocks) {
    return new ReportPage("t", "", List.of(new Section("", "", List.of(blocks), false)), "").html();
  }

  @Test
  void theWealthThatDecidesEndsAtOrAboveTheLine() throws Exception {
    List<Double> up = new ArrayList<>(List.of(1.0));
    List<Double> down = new ArrayList<>(List.of(1.0));
    while (up.get(up.size() - 1) < 20) {
      up.add(up.get(up.size() - 1) * 1.05);
      down.add(down.get(down.size() - 1) * 0.9);
    }
    Document page = parse(page(verdict(up, down)));
    double line = firstY(ofClass(page, "path", "limit").get(0));
    assertThat(lastY(ofClass(page, "path", "good").get(0))).isLessThanOrEqualTo(line);
    assertThat(lastY(ofClass(page, "path", "bad").get(0))).isGreaterThan(line);
  }

  @Test
  void brokenAndEmptyEvidenceStillMakesAPage() throws Exception {
    List<Double> broken = List.of(1.0, Double.NaN, Double.POSITIVE_INFINITY, 0.0, 1e300);
    assertThat(page(verdict(broken, List.of()))).doesNotContain("NaN").doesNotContain("Infinity");
    parse(page(verdict(broken, broken)));
    parse(page(verdict(List.of(), List.of())));
    parse(page(new Timeline("", List.of()), new Tiles(List.of()), new Terms(List.of())));
    assertThat(new ReportPage("t", "", List.of(), "").html()).contains("<h1>t</h1>");
  }

  private static VerdictView verdict(List<Double> notWorse, List<Double> worse) {
    return new VerdictView(
        new VersionRef("a", 2),
        new VersionRef("a", 1),
        Decision.INCONCLUSIVE,
        "",
        List.of(
            new VerdictView.Evidence(
                "c",
                Decision.INCONCLUSIVE,
                0.05,
                0.05,
                0,
                0,
                Double.NaN,
                Double.NaN,
                notWorse,
                worse,
                List.of(),
                0,
                List.of(),
                List.of(),
                Optional.empty(),
                "")),
        null);
  }

  /** A curve that wanders, with an interval that narrows. */
  private static Plot plot(int places) {
    List<String> names = new ArrayList<>();
    List<Plot.Point> points = new ArrayList<>();
    for (int i = 0; i < places; i++) {
      names.add(Integer.toString(i + 1));
      double value = 0.9 + 0.2 * Math.sin(i / 5.0);
      points.add(new Plot.Point(i, value, value - 0.1, value + 0.2 / (1 + i), i % 3 == 0));
    }
    return new Plot(
        "Headroom",
        "version",
        names,
        List.of(new Plot.Series("headroom", points), new Plot.Series("unknown", List.of())),
        new Plot.Limit("floor", 0.9),
        Plot.Form.NUMBER);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 14, 60, 61, 200})
  void aPlotShowsEveryPointInsideItsFrameInItsOrder(int places) throws Exception {
    Plot plot = plot(places);
    assertThat(plot.series()).as("a curve without points is left out").hasSize(1);
    Document page = parse(page(plot));
    List<Element> dots = elements(page, "circle");
    assertThat(dots).hasSize(places);
    double last = -1;
    for (int i = 0; i < places; i++) {
      double x = x(dots.get(i));
      assertThat(x).isBetween(58.0, 1084.0).isGreaterThan(last);
      last = x;
      assertThat(Double.parseDouble(dots.get(i).getAttribute("cy"))).isBetween(14.0, 218.0);
      assertThat(dots.get(i).getTextContent()).contains("version " + (i + 1) + ": ");
    }
    List<Element> bars = ofClass(page, "path", "bar");
    List<Element> bands = ofClass(page, "path", "band");
    assertThat(bars).hasSize(places <= 60 ? places : 0);
    assertThat(bands).hasSize(places <= 60 ? 0 : 1);
    assertThat(ofClass(page, "path", "line")).hasSize(places == 1 ? 0 : 1);
    List<Element> names =
        elements(page, "text").stream().filter(t -> t.getAttribute("y").equals("234")).toList();
    assertThat(names).hasSizeBetween(1, 14);
    for (int i = 1; i < names.size(); i++) {
      double before = Double.parseDouble(names.get(i - 1).getAttribute("x"));
      assertThat(Double.parseDouble(names.get(i).getAttribute("x")) - before).isGreaterThan(40);
    }
    String html = page(plot);
    assertThat(html).doesNotContain("NaN").doesNotContain("Infinity");
  }

  @Test
  void aPointLiesWithinItsBarAndTheLimitWhereItsValueIs() throws Exception {
    Document page = parse(page(plot(5)));
    for (int i = 0; i < 5; i++) {
      double y = Double.parseDouble(elements(page, "circle").get(i).getAttribute("cy"));
      String[] bar = ofClass(page, "path", "bar").get(i).getAttribute("d").split("[MV ]");
      assertThat(y).isBetween(Double.parseDouble(bar[3]), Double.parseDouble(bar[2]));
    }
    double limit = firstY(ofClass(page, "path", "limit").get(0));
    assertThat(Double.parseDouble(elements(page, "circle").get(0).getAttribute("cy")))
        .as("the first value is the limit")
        .isEqualTo(limit);
  }

  @Test
  void aPlotRefusesWhatItCannotDrawAndDrawsWhatIsFlat() throws Exception {
    for (Plot.Point point :
        List.of(
            Plot.Point.of(1, 1),
            Plot.Point.of(0, Double.NaN),
            new Plot.Point(0, 1, 2, 3, false),
            new Plot.Point(0, 1, 0, Double.POSITIVE_INFINITY, false))) {
      assertThatIllegalArgumentException().isThrownBy(() -> flat(List.of(point)));
    }
    parse(page(flat(List.of(Plot.Point.of(0, 0)))));
    parse(page(flat(List.of(Plot.Point.of(0, 1e9)))));
    Plot nothing = flat(List.of());
    assertThat(nothing.isEmpty()).isTrue();
    parse(page(nothing));
  }

  @Test
  void kindsAreNamedAtTheirHeightAndNotJoined() throws Exception {
    Plot plot =
        new Plot(
            "How it was updated",
            "version",
            List.of("1", "2", "3"),
            List.of(new Plot.Series("mode", List.of(Plot.Point.of(0, 0), Plot.Point.of(2, 1)))),
            null,
            Plot.Form.NUMBER,
            List.of("plain", "re-base"));
    Document page = parse(page(plot));
    assertThat(ofClass(page, "path", "line")).isEmpty();
    List<Element> dots = elements(page, "circle");
    assertThat(dots.get(0).getTextContent()).contains("version 1: plain");
    assertThat(dots.get(1).getTextContent()).contains("version 3: re-base");
    for (int i = 0; i < 2; i++) {
      String name = i == 0 ? "plain" : "re-base";
      Element label =
          elements(page, "text").stream()
              .filter(t -> t.getTextContent().equals(name))
              .findFirst()
              .orElseThrow();
      assertThat(Double.parseDouble(label.getAttribute("y")))
          .isCloseTo(Double.parseDouble(dots.get(i).getAttribute("cy")), within(4.0));
    }
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                new Plot(
                    "t",
                    "v",
                    List.of("1"),
                    List.of(new Plot.Series("s", List.of(Plot.Point.of(0, 2)))),
                    null,
                    Plot.Form.NUMBER,
                    List.of("one", "two")));
  }

  private static Plot flat(List<Plot.Point> points) {
    return new Plot(
        "t", "v", List.of("1"), List.of(new Plot.Series("s", points)), null, Plot.Form.SHARE);
  }

  private static double firstY(Element path) {
    return Double.parseDouble(path.getAttribute("d").split("[MHL ]")[2]);
  }

  private static double lastY(Element path) {
    String d = path.getAttribute("d");
    return Double.parseDouble(d.substring(d.lastIndexOf(' ') + 1));
  }

  @Test
  void aRejectionIsOpenAndNamesSliceFlipsAndWhatTheyShare() throws Exception {
    Document page = parse(page(Samples.rejected(), Samples.passed()));
    List<Element> verdicts = ofClass(page, "details", "verdict");
    assertThat(verdicts.get(0).hasAttribute("open")).isTrue();
    assertThat(verdicts.get(1).hasAttribute("open")).isFalse();
    String text = verdicts.get(0).getTextContent();
    assertThat(text)
        .contains("intent: card-lost", "−91.0", "17 of 17 have intent: card-lost", "7 more");
    for (int i = 1; i <= 17; i++) {
      assertThat(text).contains("card-intents-test-" + i);
    }
  }

  @Test
  void whatAChangedSuiteAsksForIsToldApartFromWhatWasLost() throws Exception {
    Document page = parse(page(Samples.rejected(), Samples.passed()));
    List<Element> verdicts = ofClass(page, "details", "verdict");
    assertThat(verdicts.get(0).getTextContent())
        .contains("Right before, wrong now")
        .doesNotContain("Changed as the suite asks now");
    assertThat(verdicts.get(1).getTextContent())
        .contains("Changed as the suite asks now", "card-rules-test-3", "Approved by kim")
        .doesNotContain("Right before, wrong now");
  }

  @Test
  void whyIsATreeOfCauses() throws Exception {
    Document page = parse(Samples.why().html());
    assertThat(ofClass(page, "span", "title"))
        .extracting(Element::getTextContent)
        .containsExactly(
            "card-router@2", "cards@2", "cards@1", "data cards-new-intents.jsonl", "card-router@1");
    assertThat(elements(page, "title").get(0).getTextContent()).isEqualTo("Why card-router@2");
  }

  @Test
  void numbersAreWrittenForPeople() {
    assertThat(Numbers.points(-0.0691)).isEqualTo("−6.9");
    assertThat(Numbers.points(0.0001)).isEqualTo("±0.0");
    assertThat(Numbers.points(Double.NaN)).isEqualTo("–");
    assertThat(Numbers.percent(0.93)).isEqualTo("93.0 %");
    assertThat(Numbers.seconds(0.44)).isEqualTo("0.4 s");
    assertThat(Numbers.seconds(59.7)).isEqualTo("1 min 0 s");
    assertThat(Numbers.seconds(372)).isEqualTo("6 min 12 s");
    assertThat(Numbers.brief(20)).isEqualTo("20");
    assertThat(Numbers.brief(7.6e-5)).isEqualTo("7.6·10⁻⁵");
    assertThat(Numbers.brief(0.05)).isEqualTo("0.05");
    assertThat(Numbers.at(3.04)).isEqualTo("3");
    assertThat(Numbers.fit("a-very-long-name-of-a-line", 12, 60)).endsWith("…").hasSizeLessThan(12);
    assertThat(Numbers.fit("short", 12, 60)).isEqualTo("short");
  }
}
