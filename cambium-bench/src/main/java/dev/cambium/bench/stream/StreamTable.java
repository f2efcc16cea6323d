package dev.cambium.bench.stream;

import dev.cambium.bench.Means;
import dev.cambium.bench.stream.StreamBenchmark.Result;
import dev.cambium.loop.headroom.Headroom;
import dev.cambium.stats.AccuracyMatrix;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.function.ToDoubleFunction;

/**
 * The results of a stream as a table: mean over seeds, and half the width of Student's interval of
 * 95 % where there are at least two seeds. Only what was learnt to the last lesson is told.
 */
final class StreamTable {

  private final List<Result> results;
  private final List<String> lessons;

  private StreamTable(List<Result> results, List<String> lessons) {
    this.results = results;
    this.lessons = lessons;
  }

  /**
   * Markdown.
   *
   * @param results of any methods and seeds, in any order
   * @param lessons of the stream, their names in order
   */
  static String of(List<Result> results, List<String> lessons) {
    return new StreamTable(results, lessons).text();
  }

  private String text() {
    StringBuilder text =
        new StringBuilder(
            "| method | seeds | accuracy at the end | ÷ joint | forgetting (max − last) | learnt (mean of"
                + " diagonal) | headroom at the end | rows read ÷ retraining at every step |\n"
                + "|---|---:|---:|---:|---:|---:|---:|---:|\n");
    for (Method method : Method.values()) {
      List<Long> seeds = finished(method);
      if (seeds.isEmpty()) {
        continue;
      }
      text.append("| ").append(method.title()).append(" | ").append(seeds.size());
      if (method == Method.FRESH) {
        text.append(" | | | | ").append(cell(seeds, s -> diagonal(method, s))).append(" | | |\n");
        continue;
      }
      List<Long> compared = new ArrayList<>(seeds);
      compared.retainAll(finished(Method.JOINT));
      text.append(" | ").append(cell(seeds, s -> last(method, s)));
      text.append(" | ").append(cell(compared, s -> last(method, s) / last(Method.JOINT, s)));
      if (method.sequential()) {
        text.append(" | ").append(cell(seeds, s -> matrix(method, s).forgettingMaxMinusLast()));
        text.append(" | ").append(cell(seeds, s -> diagonal(method, s)));
      } else {
        text.append(" | | ");
      }
      text.append(" | ").append(cell(seeds, s -> headroom(method, s)));
      text.append(" | ")
          .append(cell(compared, s -> (double) rows(method, s) / retraining(s)))
          .append(" |\n");
    }
    return text.toString();
  }

  /**
   * What it would read to train a model on everything so far from the foundation at every lesson,
   * as long for each task as the joint training: 1 + 2 + … + n times the share of one lesson.
   */
  private double retraining(long seed) {
    return rows(Method.JOINT, seed) * (lessons.size() + 1) / 2.0;
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

  private Result after(Method method, long seed, int lesson) {
    return results.stream()
        .filter(
            r ->
                r.method().equals(method.id())
                    && r.seed() == seed
                    && r.lesson().equals(lessons.get(lesson)))
        .findFirst()
        .orElseThrow();
  }

  private long rows(Method method, long seed) {
    return after(method, seed, lessons.size() - 1).rowsRead();
  }

  private double headroom(Method method, long seed) {
    Headroom.Ratio measured = after(method, seed, lessons.size() - 1).headroom();
    return measured == null ? Double.NaN : measured.point();
  }

  private double last(Method method, long seed) {
    return after(method, seed, lessons.size() - 1).scores().values().stream()
        .mapToDouble(score -> score)
        .average()
        .orElseThrow();
  }

  private double diagonal(Method method, long seed) {
    double sum = 0;
    for (int i = 0; i < lessons.size(); i++) {
      sum += score(after(method, seed, i), i);
    }
    return sum / lessons.size();
  }

  private AccuracyMatrix matrix(Method method, long seed) {
    double[][] values = new double[lessons.size()][lessons.size()];
    for (int i = 0; i < values.length; i++) {
      for (int j = 0; j < values.length; j++) {
        values[i][j] = score(after(method, seed, i), j);
      }
    }
    return AccuracyMatrix.of(values);
  }

  private double score(Result result, int task) {
    return result.scores().getOrDefault(lessons.get(task), Double.NaN);
  }

  private static String cell(List<Long> seeds, ToDoubleFunction<Long> measure) {
    return Means.cell(seeds.stream().map(measure::applyAsDouble).toList());
  }
}
