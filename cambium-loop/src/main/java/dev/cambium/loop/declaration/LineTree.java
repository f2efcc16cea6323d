package dev.cambium.loop.declaration;

import dev.cambium.loop.data.Suggestion;
import dev.cambium.loop.declaration.Node.Position;
import dev.cambium.model.Tier;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/** Reads what the lines are built on and merged from, and puts them in order. */
final class LineTree {

  private final Map<String, Line> lines;
  private final Map<String, Fields> sources;
  private final Map<String, Position> places;
  private final Problems problems;

  /**
   * The tree of these lines.
   *
   * @param lines those whose tier is known, by name, in the file's order
   * @param sources the fields of all lines, by name
   * @param places where the names of all lines stand
   */
  LineTree(
      Map<String, Line> lines,
      Map<String, Fields> sources,
      Map<String, Position> places,
      Problems problems) {
    this.lines = lines;
    this.sources = sources;
    this.places = places;
    this.problems = problems;
  }

  /**
   * Notes what is wrong between the lines.
   *
   * @return the lines, what each is made from before it, otherwise in the file's order
   */
  List<Line> read() {
    parents();
    merges();
    return order();
  }

  /** A line's parent must be there, and be of a tier that it can be built on. */
  private void parents() {
    for (Line line : lines.values()) {
      Fields fields = sources.get(line.name());
      if (fields == null) {
        continue;
      }
      String what = "line '" + line.name() + "'";
      String parent = line.parent();
      if (parent == null) {
        if (line.tier() != Tier.FOUNDATION && !fields.has("parent")) {
          fields.missing("parent", "every line but a foundation is built on another");
        }
        continue;
      }
      if (line.tier() == Tier.FOUNDATION) {
        problems.add(
            fields.at("parent"),
            what + ": a foundation is built on nothing; remove the parent, or change the tier");
        continue;
      }
      if (!places.containsKey(parent)) {
        problems.add(
            fields.at("parent"),
            what
                + ": no line '"
                + parent
                + "' to be its parent"
                + Suggestion.among(parent, places.keySet(), "lines"));
        continue;
      }
      Line above = lines.get(parent);
      if (above == null || parent.equals(line.name())) {
        continue;
      }
      boolean stacked = above.tier() == Tier.INDUSTRIAL && line.tier() == Tier.INDUSTRIAL;
      if (above.tier().compareTo(line.tier()) >= 0 && !stacked) {
        problems.add(
            fields.at("parent"),
            what
                + ": of tier "
                + line.tier().label()
                + " cannot be built on '"
                + parent
                + "' of tier "
                + above.tier().label()
                + "; the order is foundation, industrial, application-model, application");
      }
    }
  }

  /** What a line is merged from must be there, and must have come from the same model. */
  private void merges() {
    for (Line line : lines.values()) {
      Fields fields = sources.get(line.name());
      Node.Mapping mapping = fields == null ? null : fields.mapping("merge");
      if (mapping == null) {
        continue;
      }
      String what = "line '" + line.name() + "', merge";
      MergeReader.from(mapping)
          .forEach(
              (name, place) -> {
                Line source = lines.get(name);
                if (!places.containsKey(name)) {
                  problems.add(
                      place,
                      what
                          + ": no line '"
                          + name
                          + "'"
                          + Suggestion.among(name, places.keySet(), "lines"));
                } else if (name.equals(line.name())) {
                  problems.add(place, what + ": a line cannot be merged from itself");
                } else if (source != null && source.tier() == Tier.APPLICATION) {
                  problems.add(place, what + ": '" + name + "' is an application, not a model");
                } else if (source != null && !Objects.equals(source.parent(), line.parent())) {
                  problems.add(
                      place,
                      what
                          + ": '"
                          + name
                          + "' is built on "
                          + (source.parent() == null ? "nothing" : "'" + source.parent() + "'")
                          + ", this line on '"
                          + line.parent()
                          + "'; what is merged must have come from the same model");
                }
              });
    }
  }

  /**
   * What a line is made from before it, otherwise in the file's order; notes each cycle once. Goes
   * without recursion: a chain of lines may be long.
   */
  private List<Line> order() {
    Set<String> order = new LinkedHashSet<>();
    Set<String> inCycle = new LinkedHashSet<>();
    for (String first : lines.keySet()) {
      List<String> path = new ArrayList<>(List.of(first));
      List<Iterator<String>> above = new ArrayList<>(List.of(above(first)));
      while (!path.isEmpty()) {
        Iterator<String> next = above.get(above.size() - 1);
        if (order.contains(path.get(path.size() - 1)) || !next.hasNext()) {
          above.remove(above.size() - 1);
          order.add(path.remove(path.size() - 1));
          continue;
        }
        String up = next.next();
        int seen = path.indexOf(up);
        if (seen >= 0) {
          circle(path.subList(seen, path.size()), inCycle);
        } else if (lines.containsKey(up)) {
          path.add(up);
          above.add(above(up));
        }
      }
    }
    return order.stream().map(name -> Objects.requireNonNull(lines.get(name))).toList();
  }

  private Iterator<String> above(String name) {
    return Objects.requireNonNull(lines.get(name)).above().iterator();
  }

  private void circle(List<String> cycle, Set<String> inCycle) {
    String at = cycle.get(0);
    Fields fields = sources.get(at);
    if (inCycle.addAll(cycle) && fields != null) {
      problems.add(
          fields.at("parent"),
          "these lines are built on each other in a circle: "
              + String.join(" -> ", cycle)
              + " -> "
              + at
              + "; one of them needs another parent");
    }
  }
}
