package dev.cambium.report;

import dev.cambium.model.Tier;
import dev.cambium.model.VersionRef;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalDouble;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The lines of an ecosystem and what is built on what. Drawn from left to right, a column per tier.
 *
 * @param title what the picture shows, also for those who cannot see it
 * @param nodes in the order in which siblings are drawn
 * @param edges from parent to child
 */
public record FleetGraph(String title, List<Node> nodes, List<Edge> edges) implements Block {

  /**
   * A line.
   *
   * @param line its name
   * @param version the stable version; none if it has none
   * @param accuracy share of right items over the line's contract, in [0, 1], if it was measured
   * @param note more about it, shown when pointed at; may be empty
   */
  public record Node(
      String line,
      Tier tier,
      @Nullable VersionRef version,
      LineState state,
      OptionalDouble accuracy,
      String note) {}

  /** {@code child} is built on {@code parent}; both are names of lines. */
  public record Edge(String parent, String child) {}

  public FleetGraph {
    nodes = List.copyOf(nodes);
    edges = List.copyOf(edges);
    Set<String> lines = new HashSet<>();
    for (Node node : nodes) {
      if (!lines.add(node.line())) {
        throw new IllegalArgumentException("line drawn twice: " + node.line());
      }
    }
    for (Edge edge : edges) {
      if (!lines.contains(edge.parent()) || !lines.contains(edge.child())) {
        throw new IllegalArgumentException(
            "edge to a line that is not drawn: " + edge.parent() + " → " + edge.child());
      }
    }
  }

  /** The graph as a file of its own: SVG with its styles inside, for light and dark. */
  public String svg() {
    Markup out = new Markup();
    new FleetDrawing(this).draw(out, true);
    return out.finish();
  }

  /** The graph as a page of its own. */
  public String html() {
    return new ReportPage(title, "", List.of(new Section("", "", List.of(this), false)), "").html();
  }
}
