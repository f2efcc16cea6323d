package dev.cambium.loop.gate;

import dev.cambium.model.Digest;
import dev.cambium.model.Item;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * How a suite came from what it was when a version was released to what it is now.
 *
 * <p>An item that is asked and answered as then still holds: versions are compared on it. Of an
 * item that has another question or answer now, and of one that was not there, the version released
 * by the old suite promised nothing: it would be no fault to answer otherwise than it, and no merit
 * to be better than it. Such items are <em>intended</em>: a candidate must have them right by the
 * suite in force, and is not compared on them. A retired item is asked no more.
 *
 * @param from artifact of the suite then
 * @param approvals who approved what led here, in order; empty where nothing needed approval
 * @param replaced items with another question or answer now, to what they were
 * @param added ids of items that were not there and ask for something new
 * @param comparable ids of items that were not there and ask for nothing new; they hold as the rest
 * @param retired items that are no more
 */
public record Revision(
    Digest from,
    List<Verdict.Approval> approvals,
    Map<String, Item> replaced,
    Set<String> added,
    Set<String> comparable,
    List<Item> retired) {

  public Revision {
    approvals = List.copyOf(approvals);
    replaced = Collections.unmodifiableMap(new TreeMap<>(replaced));
    added = Collections.unmodifiableSet(new TreeSet<>(added));
    comparable = Collections.unmodifiableSet(new TreeSet<>(comparable));
    retired = List.copyOf(retired);
  }

  /**
   * One step on the way.
   *
   * @param suite what it led to
   * @param comparable whether what it added asks for nothing new
   * @param approval who approved it; none where nothing needed approval
   */
  public record Step(Suite suite, boolean comparable, Verdict.@Nullable Approval approval) {}

  /**
   * What a way amounts to. An item that was changed and changed back is what it was.
   *
   * @param then the suite at its beginning
   * @param steps at least one, in order
   */
  public static Revision of(Suite then, List<Step> steps) {
    Map<String, Item> before = byId(then);
    Map<String, Item> at = before;
    Map<String, Boolean> holds = new HashMap<>(); // of what was added on the way
    List<Verdict.Approval> approvals = new ArrayList<>();
    for (Step step : steps) {
      if (step.approval() != null) {
        approvals.add(step.approval());
      }
      Map<String, Item> next = byId(step.suite());
      for (Item item : next.values()) {
        Item earlier = at.get(item.id());
        if (earlier == null) {
          holds.put(item.id(), step.comparable());
        } else if (!asksTheSame(earlier, item)) {
          holds.put(item.id(), false);
        }
      }
      at = next;
    }
    Map<String, Item> replaced = new TreeMap<>();
    Set<String> added = new TreeSet<>();
    Set<String> comparable = new TreeSet<>();
    for (Item item : at.values()) {
      Item was = before.get(item.id());
      if (was != null) {
        if (!asksTheSame(was, item)) {
          replaced.put(item.id(), was);
        }
      } else if (Boolean.TRUE.equals(holds.get(item.id()))) {
        comparable.add(item.id());
      } else {
        added.add(item.id());
      }
    }
    Map<String, Item> now = at;
    List<Item> retired =
        before.values().stream().filter(item -> !now.containsKey(item.id())).toList();
    return new Revision(then.digest(), approvals, replaced, added, comparable, retired);
  }

  /** Whether a candidate must have an item right without being compared on it. */
  boolean intends(Item item) {
    return replaced.containsKey(item.id()) || added.contains(item.id());
  }

  /** Tags only say to which slices an item belongs. */
  private static boolean asksTheSame(Item a, Item b) {
    return Objects.equals(a.text(), b.text())
        && a.messages().equals(b.messages())
        && Objects.equals(a.answer(), b.answer())
        && a.choices().equals(b.choices());
  }

  private static Map<String, Item> byId(Suite suite) {
    Map<String, Item> byId = new LinkedHashMap<>();
    suite.items().forEach(item -> byId.put(item.id(), item));
    return byId;
  }
}
