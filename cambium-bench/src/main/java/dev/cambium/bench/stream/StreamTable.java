package dev.cambium.bench.stream;

import dev.cambium.bench.Means;
import dev.cambium.bench.stream.StreamBenchmark.Result;
import dev.cambium.loop.headroom.Headroom;
import dev.cambium.stats.AccuracyMatrix;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The results of a stream as a table: mean over seeds, and half the width of Student's interval of
 * 95 % where there are at least two seeds. Only what was learnt to the last lesson is told. Below
 * it, headroom along the way and what Cambium's governor chose, where there is any.
 */
final class StreamTable {

  private final List<Result> results;
  private final List<String> lessons;
  private final double retraining;

  private StreamTable(List<Result> results, List<String> lessons, double retraining) {
    this.results = results;
    this.lessons = lessons;
    this.retraining = retraining;
  }

  /**
   * Markdown.
   *
   * @param results of any methods and seeds, in any order; of two on the same the later counts
   * @param lessons of the stream, their names in order
   * @param retraining rows that training on everything that holds, from the foundation and at every
   *     lesson, would read: what compute is compared with
   */
  static String of(List<Result> results, List<String> lessons, double retraining) {
    return new StreamTable(results, lessons, retraining).text();
  }

  private String text() {
    StringBuilder text =
        new StringBuilder(
            "| method | seeds | accuracy at the end | ÷ joint | forgetting (max − last) | learnt"
                + " (mean of diagonal) | headroom at the end | by steps alone | rows read ÷"
                + " retraining at every step |\n"
                + "|---|---:|---:|---:|---:|---:|---:|---:|---:|\n");
    for (Method method : Method.values()) {
      List<Long> seeds = finished(method);
      if (!seeds.isEmpty()) {
        row(text, method, seeds);
      }
    }
    text.append(
        String.format(
            Locale.ROOT,
            "| retraining on everything at every step | | | | | | | | 1 (%,.0f rows) |%n",
            retraining));
    onTheWay(text);
    decisions(text);
    return text.toString();
  }

  private void row(StringBuilder text, Method method, List<Long> seeds) {
    text.append("| ").append(method.title()).append(" | ").append(seeds.size());
    boolean oneModel = method != Method.FRESH;
    List<Long> compared = new ArrayList<>(seeds);
    compared.retainAll(finished(Method.JOINT));
    text.append(" | ").append(oneModel ? cell(seeds, s -> last(method, s)) : "");
    text.append(" | ")
        .append(oneModel ? cell(compared, s -> last(method, s) / last(Method.JOINT, s)) : "");
    text.append(" | ").append(method.sequential() ? forgetting(method, seeds) : "");
    text.append(" | ").append(method == Method.JOINT ? "" : cell(seeds, s -> diagonal(method, s)));
    List<Long> probed = seeds.stream().filter(s -> end(method, s).headroom() != null).toList();
    text.append(" | ").append(headroom(method, probed, Result::headroom));
    text.append(" | ").append(headroom(method, probed, Result::stepsHeadroom));
    text.append(" | ")
        .append(oneModel ? cell(seeds, s -> end(method, s).rowsRead() / retraining) : "")
        .append(" |\n");
  }

  /** Of one seed with the probe's own interval. */
  private String headroom(
      Method method, List<Long> seeds, Function<Result, Headroom.@Nullable Ratio> which) {
    List<Headroom.Ratio> ratios =
        seeds.stream().map(s -> which.apply(end(method, s))).filter(Objects::nonNull).toList();
    return ratios.size() == 1 ? ratios.get(0).toString() : cell(ratios, ratio -> ratio.point());
  }

  private String forgetting(Method method, List<Long> seeds) {
    List<AccuracyMatrix> matrices =
        seeds.stream().map(s -> matrix(method, s)).flatMap(Optional::stream).toList();
    return cell(matrices, AccuracyMatrix::forgettingMaxMinusLast);
  }

  private void onTheWay(StringBuilder text) {
    for (Method method : Method.values()) {
      for (long seed : seeds(method)) {
        List<Result> probed =
            IntStream.range(0, lessons.size())
                .mapToObj(i -> after(method, seed, i))
                .flatMap(Optional::stream)
                .filter(r -> r.headroom() != null)
                .toList();
        if (probed.size() > 1) {
          text.append(
              String.format(
                  Locale.ROOT, "%nHeadroom on the way, %s, seed %d:%n%n", method.title(), seed));
          text.append("| after | accuracy | headroom | by steps alone |\n|---|---:|---:|---:|\n");
          probed.forEach(
              r ->
                  text.append(
                      String.format(
                          Locale.ROOT,
                          "| %s | %.3f | %s | %s |%n",
                          r.lesson(),
                          r.accuracy(),
                          r.headroom(),
                          r.stepsHeadroom() == null ? "" : r.stepsHeadroom())));
        }
      }
    }
  }

  private void decisions(StringBuilder text) {
    for (Method method : Method.values()) {
      for (long seed : seeds(method)) {
        List<Result> noted =
            IntStream.range(0, lessons.size())
                .mapToObj(i -> after(method, seed, i))
                .flatMap(Optional::stream)
                .filter(r -> r.note() != null)
                .toList();
        if (!noted.isEmpty()) {
          text.append(
              String.format(Locale.ROOT, "%nHow %s went, seed %d:%n%n", method.title(), seed));
          noted.forEach(
              r -> text.append("- ").append(r.lesson()).append(": ").append(r.note()).append('\n'));
        }
      }
    }
  }

  private List<Long> seeds(Method method) {
    return results.stream()
        .filter(r -> r.method().equals(method.id()))
        .map(Result::seed)
        .distinct()
        .sorted()
        .toList();
  }

  private List<Long> finished(Method method) {
    TreeSet<Long> seeds = new TreeSet<>();
    results.stream()
        .filter(
            r ->
                r.method().equals(method.id())
                    && r.lesson().equals(lessons.get(lessons.size() - 1)))
        .forEach(r -> seeds.add(r.seed()));
    return List.copyOf(seeds);
  }

  private Optional<Result> after(Method method, long seed, int lesson) {
    return results.stream()
        .filter(
            r ->
                r.method().equals(method.id())
                    && r.seed() == seed
                    && r.lesson().equals(lessons.get(lesson)))
        .reduce((first, second) -> second);
  }

  private Result end(Method method, long seed) {
    return after(method, seed, lessons.size() - 1).orElseThrow();
  }

  private double last(Method method, long seed) {
    return end(method, seed).accuracy();
  }

  private double diagonal(Method method, long seed) {
    double sum = 0;
    for (int i = 0; i < lessons.size(); i++) {
      sum += score(after(method, seed, i), i);
    }
    return sum / lessons.size();
  }

  /** None if earlier tasks are not told apart after later ones. */
  private Optional<AccuracyMatrix> matrix(Method method, long seed) {
    double[][] values = new double[lessons.size()][lessons.size()];
    for (int i = 0; i < values.length; i++) {
      Optional<Result> after = after(method, seed, i);
      for (int j = 0; j < values.length; j++) {
        values[i][j] = score(after, j);
        if (j <= i && Double.isNaN(values[i][j])) {
          return Optional.empty();
        }
      }
    }
    return Optional.of(AccuracyMatrix.of(values));
  }

  private double score(Optional<Result> result, int task) {
    return result.map(r -> r.scores().get(lessons.get(task))).orElse(Double.NaN);
  }

  private static <T> String cell(List<T> samples, ToDoubleFunction<T> measure) {
    return Means.cell(samples.stream().map(measure::applyAsDouble).toList());
  }
}
