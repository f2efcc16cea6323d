package dev.cambium.bench.upgrade;

import dev.cambium.bench.Means;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.ToIntFunction;
import java.util.stream.Collectors;

/**
 * The results as two tables. The first has a row for each scenario: means over seeds with half the
 * width of Student's interval of 95 % where there are two seeds. The second has one for each line:
 * what it keeps by what retraining reaches is a ratio of two shares of the same items, seeds
 * together, with the interval of 95 % of its logarithm (Nam and Blackwelder's problem in its
 * large-sample form: the variance is (b + c) / ((a + b)(a + c)), a items right in both, b and c in
 * one only).
 */
final class UpgradeTable {

  private static final double NORMAL_QUANTILE = 1.959964;

  private final List<LineResult> results;

  private UpgradeTable(List<LineResult> results) {
    this.results = results;
  }

  /** Markdown of any results, in any order. */
  static String of(List<LineResult> results) {
    UpgradeTable table = new UpgradeTable(results);
    return table.scenarios() + "\n" + table.lines();
  }

  private String scenarios() {
    StringBuilder text =
        new StringBuilder(
            "| scenario | seeds | lines, carried | kept ÷ retrained | goal | least line |"
                + " negative flips | goal | of retraining | compute ÷ retraining | goal |"
                + " time ÷ retraining | ways | naive ÷ retrained |\n"
                + "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---|---:|\n");
    for (Scenario scenario : Scenario.values()) {
      List<LineResult> all =
          results.stream().filter(r -> r.scenario().equals(scenario.id())).toList();
      if (all.isEmpty()) {
        continue;
      }
      List<LineResult> carried = all.stream().filter(LineResult::isCarried).toList();
      List<Double> kept = bySeed(carried, UpgradeTable::kept);
      List<Double> flips = bySeed(carried, of -> share(of, LineResult::flips));
      List<Double> compute = bySeed(all, UpgradeTable::compute);
      List<Double> naive =
          bySeed(all.stream().filter(r -> r.naive() != null).toList(), UpgradeTable::naive);
      text.append("| ").append(scenario.id()).append(": ").append(scenario.title());
      text.append(" | ").append(kept.isEmpty() ? seeds(all).size() : kept.size());
      text.append(" | ").append(all.size()).append(", ").append(carried.size());
      text.append(" | ").append(Means.cell(kept));
      text.append(" | ").append(goal("≥", scenario.kept(), kept));
      text.append(" | ").append(least(carried));
      text.append(" | ").append(Means.cell(flips));
      text.append(" | ").append(goal("≤", scenario.flips(), flips));
      text.append(" | ")
          .append(Means.cell(bySeed(carried, of -> share(of, LineResult::retrainedFlips))));
      text.append(" | ").append(Means.cell(compute));
      text.append(" | ").append(goal("≤", scenario.compute(), compute));
      text.append(" | ").append(Means.cell(bySeed(all, UpgradeTable::time)));
      text.append(" | ").append(ways(all));
      text.append(" | ").append(Means.cell(naive)).append(" |\n");
    }
    return text.toString();
  }

  private String lines() {
    StringBuilder text =
        new StringBuilder(
            "| scenario | line | trained | ways | before | kept | retrained | kept ÷ retrained |"
                + " negative flips | naive | compute ÷ retraining |\n"
                + "|---|---|---|---|---:|---:|---:|---:|---:|---:|---:|\n");
    for (Scenario scenario : Scenario.values()) {
      List<LineResult> all =
          results.stream().filter(r -> r.scenario().equals(scenario.id())).toList();
      LinkedHashSet<String> names = new LinkedHashSet<>();
      all.forEach(r -> names.add(r.line()));
      for (String name : names) {
        List<LineResult> line = all.stream().filter(r -> r.line().equals(name)).toList();
        List<LineResult> carried = line.stream().filter(LineResult::isCarried).toList();
        text.append("| ").append(scenario.id()).append(" | ").append(name);
        text.append(" | ").append(line.get(0).method());
        text.append(" | ").append(ways(line));
        text.append(" | ").append(mean(line, LineResult::before));
        text.append(" | ").append(mean(carried, LineResult::kept));
        text.append(" | ").append(mean(line, LineResult::retrained));
        text.append(" | ").append(ratio(carried));
        text.append(" | ")
            .append(carried.isEmpty() ? "" : number(share(carried, LineResult::flips)));
        text.append(" | ")
            .append(mean(line.stream().filter(r -> r.naive() != null).toList(), r -> r.naive()));
        double compute = compute(line);
        text.append(" | ").append(Double.isNaN(compute) ? "" : number(compute)).append(" |\n");
      }
    }
    return text.toString();
  }

  private static TreeSet<Long> seeds(List<LineResult> of) {
    return of.stream().map(LineResult::seed).collect(Collectors.toCollection(TreeSet::new));
  }

  private static List<Double> bySeed(
      List<LineResult> of, Function<List<LineResult>, Double> measure) {
    List<Double> values = new ArrayList<>();
    for (long seed : seeds(of)) {
      double value = measure.apply(of.stream().filter(r -> r.seed() == seed).toList());
      if (!Double.isNaN(value)) {
        values.add(value);
      }
    }
    return values;
  }

  private static double kept(List<LineResult> of) {
    return of.stream().mapToDouble(r -> r.kept() / r.retrained()).average().orElse(Double.NaN);
  }

  private static double naive(List<LineResult> of) {
    return of.stream()
        .mapToDouble(r -> Objects.requireNonNull(r.naive()) / r.retrained())
        .average()
        .orElse(Double.NaN);
  }

  private static double share(List<LineResult> of, ToIntFunction<LineResult> flips) {
    return (double) of.stream().mapToInt(flips).sum()
        / of.stream().mapToInt(LineResult::items).sum();
  }

  /** Of all lines that can be retrained, also of those that nothing carried. */
  private static double compute(List<LineResult> of) {
    double retraining = of.stream().mapToDouble(LineResult::retraining).sum();
    return retraining == 0
        ? Double.NaN
        : of.stream().filter(r -> r.retraining() > 0).mapToDouble(LineResult::operations).sum()
            / retraining;
  }

  private static double time(List<LineResult> of) {
    List<LineResult> timed = of.stream().filter(r -> r.retrainingSeconds() != null).toList();
    return timed.isEmpty()
        ? Double.NaN
        : timed.stream().mapToDouble(LineResult::seconds).sum()
            / timed.stream().mapToDouble(r -> Objects.requireNonNull(r.retrainingSeconds())).sum();
  }

  private static String ways(List<LineResult> of) {
    Map<String, Integer> ways = new TreeMap<>();
    of.forEach(r -> ways.merge(r.rung() == null ? r.settlement() : r.rung(), 1, Integer::sum));
    return ways.entrySet().stream()
        .sorted(Map.Entry.comparingByValue(Comparator.reverseOrder()))
        .map(e -> e.getKey() + " " + e.getValue())
        .collect(Collectors.joining(", "));
  }

  private static String least(List<LineResult> carried) {
    return carried.stream()
        .collect(Collectors.groupingBy(LineResult::line, TreeMap::new, Collectors.toList()))
        .entrySet()
        .stream()
        .min(Comparator.comparingDouble(e -> kept(e.getValue())))
        .map(e -> number(kept(e.getValue())) + " " + e.getKey())
        .orElse("");
  }

  private static String goal(String sign, double goal, List<Double> values) {
    if (Double.isNaN(goal) || values.isEmpty()) {
      return "";
    }
    double mean = values.stream().mapToDouble(v -> v).average().orElseThrow();
    boolean met = sign.equals("≥") ? mean >= goal : mean <= goal;
    return String.format(Locale.ROOT, "%s %.2f%s", sign, goal, met ? "" : ", missed");
  }

  private static String ratio(List<LineResult> carried) {
    double both = carried.stream().mapToInt(LineResult::both).sum();
    double kept = both + carried.stream().mapToInt(LineResult::onlyKept).sum();
    double retrained = both + carried.stream().mapToInt(LineResult::onlyRetrained).sum();
    if (kept == 0 || retrained == 0) {
      return "";
    }
    double half = NORMAL_QUANTILE * Math.sqrt((kept + retrained - 2 * both) / (kept * retrained));
    return String.format(
        Locale.ROOT,
        "%.3f (%.3f to %.3f)",
        kept / retrained,
        kept / retrained * Math.exp(-half),
        kept / retrained * Math.exp(half));
  }

  private static String mean(List<LineResult> of, Function<LineResult, Double> value) {
    return of.isEmpty()
        ? ""
        : number(of.stream().mapToDouble(value::apply).average().orElseThrow());
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, "%.3f", value);
  }
}
