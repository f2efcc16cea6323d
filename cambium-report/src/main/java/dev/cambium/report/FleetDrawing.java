package dev.cambium.report;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Lays a fleet out as a tree from left to right: every leaf has a row of its own, a parent stands
 * in the middle of its children's rows, and the column is the tier's. An edge reaches the child's
 * row before the next column and then runs straight in that row, so that it crosses no box. Above
 * {@link #ROOMY} lines, boxes are one line high.
 */
final class FleetDrawing {

  private static final int ROOMY = 26;
  private static final double GAP = 38;
  private static final double HEAD = 26;
  private static final double NAME = 12.5;
  private static final double SMALL = 11;

  private final FleetGraph graph;
  private final boolean compact;
  private final double boxHeight;
  private final double rowHeight;
  private final double boxWidth;
  private final Map<String, FleetGraph.Node> nodes = new HashMap<>();
  private final Map<String, List<String>> children = new HashMap<>();
  private final Map<String, Integer> column = new HashMap<>();
  private final Map<String, Double> row = new HashMap<>();
  private final Map<Integer, String> heads = new TreeMap<>();
  private int rows;

  FleetDrawing(FleetGraph graph) {
    this.graph = graph;
    compact = graph.nodes().size() > ROOMY;
    boxHeight = compact ? 22 : 46;
    rowHeight = compact ? 27 : 58;
    double widest = 112;
    for (FleetGraph.Node node : graph.nodes()) {
      double room = Numbers.width(node.line(), NAME) + Numbers.width(version(node), SMALL) + 26;
      widest = Math.max(widest, compact ? room + 52 : room);
    }
    boxWidth = Math.min(compact ? 250 : 190, widest);
    place();
  }

  private void place() {
    Set<String> hasParent = new HashSet<>();
    graph.nodes().forEach(n -> nodes.put(n.line(), n));
    Map<String, Set<String>> below = new HashMap<>();
    for (FleetGraph.Edge edge : graph.edges()) {
      // A line with several parents stands below the first.
      if (hasParent.add(edge.child())) {
        below.computeIfAbsent(edge.parent(), p -> new LinkedHashSet<>()).add(edge.child());
      }
    }
    for (FleetGraph.Node node : graph.nodes()) {
      List<String> ordered = new ArrayList<>();
      Set<String> mine = below.getOrDefault(node.line(), Set.of());
      for (FleetGraph.Node other : graph.nodes()) {
        if (mine.contains(other.line())) {
          ordered.add(other.line());
        }
      }
      children.put(node.line(), ordered);
    }
    for (FleetGraph.Node node : graph.nodes()) {
      if (!hasParent.contains(node.line())) {
        descend(node.line(), -1);
      }
    }
    for (FleetGraph.Node node : graph.nodes()) {
      // Only a cycle leaves lines over; they are drawn too.
      if (!row.containsKey(node.line())) {
        descend(node.line(), -1);
      }
    }
    for (FleetGraph.Node node : graph.nodes()) { // to the right of all that it is made from
      for (FleetGraph.Edge edge : graph.edges()) {
        if (edge.child().equals(node.line())) {
          column.merge(node.line(), columnOf(edge.parent()) + 1, Math::max);
        }
      }
    }
    closeRanks();
  }

  private double descend(String line, int parentColumn) {
    row.put(line, -1.0);
    FleetGraph.Node node = node(line);
    int own = Math.max(node.tier().ordinal(), parentColumn + 1);
    column.put(line, own);
    double first = Double.NaN;
    double last = Double.NaN;
    for (String child : children.getOrDefault(line, List.of())) {
      if (!row.containsKey(child)) {
        last = descend(child, own);
        first = Double.isNaN(first) ? last : first;
      }
    }
    double mine = Double.isNaN(first) ? rows++ : (first + last) / 2;
    row.put(line, mine);
    return mine;
  }

  /** Columns that no line stands in take no room. */
  private void closeRanks() {
    TreeSet<Integer> used = new TreeSet<>(column.values());
    column.replaceAll((line, c) -> used.headSet(c).size());
    for (FleetGraph.Node node : graph.nodes()) {
      heads.putIfAbsent(columnOf(node.line()), plural(node));
    }
  }

  private static String plural(FleetGraph.Node node) {
    return switch (node.tier()) {
      case FOUNDATION -> "foundation";
      case INDUSTRIAL -> "industrial models";
      case APPLICATION_MODEL -> "application models";
      case APPLICATION -> "applications";
    };
  }

  private FleetGraph.Node node(String line) {
    FleetGraph.Node node = nodes.get(line);
    if (node == null) {
      throw new IllegalStateException("not a line of this graph: " + line);
    }
    return node;
  }

  private int columnOf(String line) {
    return column.getOrDefault(line, 0);
  }

  private double left(String line) {
    return 1 + columnOf(line) * (boxWidth + GAP);
  }

  private double middle(String line) {
    return HEAD + row.getOrDefault(line, 0.0) * rowHeight + boxHeight / 2;
  }

  private static String version(FleetGraph.Node node) {
    return node.version() == null ? "none" : "@" + node.version().number();
  }

  void draw(Markup out, boolean standalone) {
    double width = 2 + heads.size() * boxWidth + Math.max(0, heads.size() - 1) * GAP;
    double height = HEAD + Math.max(0, rows - 1) * rowHeight + boxHeight + 2;
    double legend = height + 20;
    List<LineState> states =
        graph.nodes().stream().map(FleetGraph.Node::state).distinct().sorted().toList();
    List<double[]> spots = legendSpots(states, width);
    double total = legend + (spots.isEmpty() ? 0 : spots.get(spots.size() - 1)[1]) + 8;
    double shown = Math.max(width, 220);
    double margin = standalone ? 16 : 0;
    out.open(
        "svg",
        "xmlns",
        "http://www.w3.org/2000/svg",
        "viewBox",
        Numbers.at(-margin)
            + " "
            + Numbers.at(-margin)
            + " "
            + Numbers.at(shown + 2 * margin)
            + " "
            + Numbers.at(total + 2 * margin),
        "width",
        Numbers.at(shown + 2 * margin),
        "height",
        Numbers.at(total + 2 * margin),
        "role",
        "img",
        "aria-label",
        description(),
        "class",
        "fleet" + (compact ? " compact" : ""));
    out.leaf("title", graph.title());
    if (standalone) {
      out.style(Style.COLOURS + Style.DRAWING);
      String edge = Numbers.at(-margin);
      out.empty("rect", "x", edge, "y", edge, "width", "100%", "height", "100%", "class", "paper");
    }
    heads.forEach(
        (c, text) ->
            out.leaf(
                "text",
                text,
                "class",
                "head",
                "x",
                Numbers.at(1 + c * (boxWidth + GAP)),
                "y",
                "12"));
    for (FleetGraph.Edge edge : graph.edges()) {
      edge(out, edge);
    }
    for (FleetGraph.Node node : graph.nodes()) {
      box(out.line(), node);
    }
    for (int i = 0; i < states.size(); i++) {
      LineState state = states.get(i);
      double x = spots.get(i)[0];
      double y = legend + spots.get(i)[1];
      sign(out, state, x + 5, y);
      out.leaf(
          "text",
          state.label(),
          "class",
          "legend",
          "x",
          Numbers.at(x + 15),
          "y",
          Numbers.at(y + 4));
    }
    out.close();
  }

  /** Where the legend's entries go, in lines that fit the width: x, and y from the first line. */
  private static List<double[]> legendSpots(List<LineState> states, double width) {
    List<double[]> spots = new ArrayList<>();
    double x = 1;
    double y = 0;
    for (LineState state : states) {
      double needed = 15 + Numbers.width(state.label(), SMALL) + 16;
      if (x > 1 && x + needed > Math.max(width, 220)) {
        x = 1;
        y += 18;
      }
      spots.add(new double[] {x, y});
      x += needed;
    }
    return spots;
  }

  private String description() {
    StringBuilder text = new StringBuilder(graph.title()).append(". ");
    for (FleetGraph.Node node : graph.nodes()) {
      text.append(node.line())
          .append(node.version() == null ? " without a version" : " " + version(node))
          .append(", ")
          .append(node.state().label());
      node.accuracy().ifPresent(a -> text.append(", ").append(Numbers.percent(a)).append(" right"));
      text.append(". ");
    }
    return text.toString().strip();
  }

  private void edge(Markup out, FleetGraph.Edge edge) {
    double fromX = left(edge.parent()) + boxWidth;
    double fromY = middle(edge.parent());
    double toX = left(edge.child());
    double toY = middle(edge.child());
    double bend = fromX + GAP;
    String path =
        "M"
            + Numbers.at(fromX)
            + " "
            + Numbers.at(fromY)
            + " C"
            + Numbers.at(fromX + GAP / 2)
            + " "
            + Numbers.at(fromY)
            + " "
            + Numbers.at(fromX + GAP / 2)
            + " "
            + Numbers.at(toY)
            + " "
            + Numbers.at(bend)
            + " "
            + Numbers.at(toY)
            + (toX > bend ? " H" + Numbers.at(toX) : "");
    out.empty("path", "class", "edge " + node(edge.child()).state().tone(), "d", path);
  }

  private void box(Markup out, FleetGraph.Node node) {
    double x = left(node.line());
    double y = middle(node.line()) - boxHeight / 2;
    out.open("g", "class", "node " + node.state().tone());
    out.leaf("title", told(node));
    out.empty(
        "rect",
        "class",
        "box",
        "x",
        Numbers.at(x),
        "y",
        Numbers.at(y),
        "width",
        Numbers.at(boxWidth),
        "height",
        Numbers.at(boxHeight),
        "rx",
        compact ? "4" : "6");
    String version = version(node);
    String accuracy = node.accuracy().isPresent() ? share(node.accuracy().getAsDouble()) : "";
    if (compact) {
      double line = y + 15;
      double right = x + boxWidth - 8;
      sign(out, node.state(), x + 11, y + boxHeight / 2);
      double room =
          boxWidth - 34 - Numbers.width(version, SMALL) - Numbers.width(accuracy, SMALL) - 8;
      String name = Numbers.fit(node.line(), NAME, room);
      out.open("text", "class", "name", "x", Numbers.at(x + 20), "y", Numbers.at(line));
      out.text(name).leaf("tspan", " " + version, "class", "version").close();
      if (!accuracy.isEmpty()) {
        out.leaf(
            "text", accuracy, "class", "accuracy", "x", Numbers.at(right), "y", Numbers.at(line));
      }
    } else {
      String name = Numbers.fit(node.line(), NAME, boxWidth - 24 - Numbers.width(version, SMALL));
      out.leaf("text", name, "class", "name", "x", Numbers.at(x + 9), "y", Numbers.at(y + 18));
      out.leaf(
          "text",
          version,
          "class",
          "version end",
          "x",
          Numbers.at(x + boxWidth - 9),
          "y",
          Numbers.at(y + 18));
      sign(out, node.state(), x + 13, y + 32);
      out.leaf(
          "text",
          node.state().label(),
          "class",
          "state",
          "x",
          Numbers.at(x + 22),
          "y",
          Numbers.at(y + 36));
      if (!accuracy.isEmpty()) {
        out.leaf(
            "text",
            accuracy,
            "class",
            "accuracy",
            "x",
            Numbers.at(x + boxWidth - 9),
            "y",
            Numbers.at(y + 36));
      }
    }
    out.close();
  }

  private static String share(double value) {
    return Double.isFinite(value)
        ? String.format(java.util.Locale.ROOT, "%.0f %%", 100 * value)
        : "–";
  }

  private static String told(FleetGraph.Node node) {
    StringBuilder text = new StringBuilder(node.line());
    text.append(node.version() == null ? ", no version" : "@" + node.version().number());
    text.append(": ").append(node.state().label());
    node.accuracy().ifPresent(a -> text.append(", ").append(Numbers.percent(a)).append(" right"));
    if (!node.note().isEmpty()) {
      text.append("\n").append(node.note());
    }
    return text.toString();
  }

  /** A sign per state, so that nobody needs to tell colours apart. */
  private static void sign(Markup out, LineState state, double x, double y) {
    String tone = "sign " + state.tone();
    String px = Numbers.at(x);
    String py = Numbers.at(y);
    switch (state) {
      case RELEASED -> out.empty("circle", "class", tone + " full", "cx", px, "cy", py, "r", "4");
      case KEPT -> out.empty("circle", "class", tone, "cx", px, "cy", py, "r", "3.4");
      case REJECTED, BROKEN ->
          out.empty(
              "path", "class", tone, "d", "M" + px + " " + py + "m-3.2-3.2l6.4 6.4m0-6.4l-6.4 6.4");
      case HELD ->
          out.empty("path", "class", tone, "d", "M" + px + " " + py + "m-2-3.4v6.8m4-6.8v6.8");
      case BLOCKED ->
          out.empty(
              "rect",
              "class",
              tone,
              "x",
              Numbers.at(x - 3.2),
              "y",
              Numbers.at(y - 3.2),
              "width",
              "6.4",
              "height",
              "6.4");
      case ROLLED_BACK ->
          out.empty("path", "class", tone, "d", "M" + px + " " + py + "m2.5-3.6l-5 3.6l5 3.6");
      case CUT_OFF ->
          out.empty("path", "class", tone, "d", "M" + px + " " + py + "m-3.6 0h6m0-3.4v6.8");
      case UNCHANGED ->
          out.empty("circle", "class", tone + " point", "cx", px, "cy", py, "r", "1.6");
    }
  }
}
