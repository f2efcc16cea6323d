package dev.cambium.loop.explain;

import dev.cambium.artifact.ArtifactStore;
import dev.cambium.ledger.LedgerState;
import dev.cambium.ledger.Recorded;
import dev.cambium.model.Fact;
import dev.cambium.model.Json;
import dev.cambium.model.Record;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * How much of the ledger explanations reach: the records that are named by an explanation of some
 * version or line, or by an item of some verdict.
 *
 * @param records how many there are
 * @param reached how many of them an explanation names
 * @param byFact both numbers, by the written form of the kind of fact
 * @param missing indices of those that none names
 */
public record Reach(
    long records, long reached, SortedMap<String, Share> byFact, List<Long> missing) {

  private static final int PAGE = 1000;

  /** Of the records of one kind of fact. */
  public record Share(long records, long reached) {}

  public Reach {
    byFact = java.util.Collections.unmodifiableSortedMap(new TreeMap<>(byFact));
    missing = List.copyOf(missing);
  }

  /** Explains everything that there is, which takes time in proportion to it. */
  public static Reach of(LedgerState state, ArtifactStore store) {
    Why why = new Why(state, store);
    ItemOutcomes outcomes = new ItemOutcomes(state, store);
    Set<Long> named = new HashSet<>();
    Set<String> lines = new TreeSet<>();
    for (Recorded<Fact.VersionRegistered> version : state.versions()) {
      lines.add(version.fact().version().line());
      collect(why.explain(version.fact().version()), named);
      for (ItemOutcomes.OfVerdict verdict : outcomes.of(version.fact().version())) {
        for (ItemOutcomes.OfCapability capability : verdict.capabilities()) {
          for (ItemOutcomes.OfItem item : capability.items()) {
            named.add(item.candidateRecord() == null ? -1 : item.candidateRecord());
            named.add(item.referenceRecord() == null ? -1 : item.referenceRecord());
          }
        }
      }
    }
    for (LedgerState.CampaignState campaign : state.campaigns()) {
      state
          .settlements(campaign.opened().fact().campaign())
          .forEach(settled -> lines.add(settled.fact().line()));
    }
    lines.forEach(line -> collect(why.explain(line), named));
    return compare(state, named);
  }

  private static Reach compare(LedgerState state, Set<Long> named) {
    SortedMap<String, Share> byFact = new TreeMap<>();
    List<Long> missing = new ArrayList<>();
    long records = 0;
    for (List<Record> page = state.records(0, PAGE);
        !page.isEmpty();
        page = state.records(records, PAGE)) {
      for (Record record : page) {
        records++;
        boolean reached = named.contains(record.index());
        String fact = Json.mapper().valueToTree(record.fact()).path("fact").asText();
        byFact.merge(
            fact,
            new Share(1, reached ? 1 : 0),
            (one, other) -> new Share(one.records + other.records, one.reached + other.reached));
        if (!reached) {
          missing.add(record.index());
        }
      }
    }
    return new Reach(records, records - missing.size(), byFact, missing);
  }

  private static void collect(WhyNode node, Set<Long> named) {
    if (node.record() != null) {
      named.add(node.record());
    }
    node.because().forEach(cause -> collect(cause, named));
  }
}
