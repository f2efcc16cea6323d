package dev.cambium.stats;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.hipparchus.distribution.continuous.TDistribution;

/**
 * The ratio reference ÷ subject of a positive quantity, such as steps to a threshold, measured on
 * several tasks with several seeds each, both sides on the same task and seed.
 *
 * <p>In each task the ratio of means over its seeds is taken; the estimate is their geometric mean.
 * The interval is Student's for the mean of the tasks' log-ratios: the tasks, not the seeds, are
 * the independent units, and what differs between seeds is part of what differs between tasks. So
 * many seeds on few tasks do not feign precision. With one task there is an estimate and no
 * interval.
 *
 * <p><b>Censored steps.</b> All runs stop at the same horizon h, so the mean of min(steps, h) is
 * the restricted mean (Irwin, 1949; Royston and Parmar, 2013), to which Kaplan and Meier's estimate
 * reduces when nothing is censored before h; a run that never reached the threshold counts as h and
 * is not dropped. Where the subject is censored more often than the reference, the true ratio is
 * below the one reported. A pair in which neither side reached the threshold pulls the ratio
 * towards 1, so where this is so on more than half the pairs the result is not {@link #decisive}.
 */
public final class ClusteredRatio {

  /** What kind of quantity it is the ratio of. */
  private enum Statistic {
    MEANS("ratio of means"),
    RESTRICTED_MEANS("ratio of restricted mean steps");

    private final String words;

    Statistic(String words) {
      this.words = words;
    }
  }

  /** Both sides on one task with one seed; positive and finite. */
  public record Values(String task, double reference, double subject) {
    public Values {
      if (!(reference > 0 && subject > 0)
          || Double.isInfinite(reference)
          || Double.isInfinite(subject)) {
        throw new IllegalArgumentException(
            "task '" + task + "': must be positive and finite: " + reference + ", " + subject);
      }
    }
  }

  /** Both sides' steps on one task with one seed. */
  public record Steps(String task, StepsToThreshold reference, StepsToThreshold subject) {}

  private final Statistic statistic;
  private final double ratio;
  private final double[] logs;
  private final int pairs;
  private final int censoredReference;
  private final int censoredSubject;
  private final int censoredBoth;
  private final int horizon;

  private ClusteredRatio(
      Statistic statistic,
      List<Values> values,
      int censoredReference,
      int censoredSubject,
      int censoredBoth,
      int horizon) {
    if (values.isEmpty()) {
      throw new IllegalArgumentException("a ratio needs at least one measurement");
    }
    Map<String, double[]> sums = new LinkedHashMap<>();
    for (Values value : values) {
      double[] sum = sums.computeIfAbsent(value.task, t -> new double[2]);
      sum[0] += value.reference;
      sum[1] += value.subject;
    }
    this.statistic = statistic;
    this.logs = sums.values().stream().mapToDouble(s -> Math.log(s[0] / s[1])).toArray();
    double total = 0;
    for (double log : logs) {
      total += log;
    }
    this.ratio = Math.exp(total / logs.length);
    this.pairs = values.size();
    this.censoredReference = censoredReference;
    this.censoredSubject = censoredSubject;
    this.censoredBoth = censoredBoth;
    this.horizon = horizon;
  }

  /** Of a quantity that is never censored, such as the area under a loss curve. */
  public static ClusteredRatio ofValues(List<Values> values) {
    return new ClusteredRatio(Statistic.MEANS, values, 0, 0, 0, 0);
  }

  /**
   * Of steps to a threshold.
   *
   * @param steps pairs; a threshold that was reached at step 0 counts as reached at step 1
   * @param horizon number of steps that every run was given, at least 1; none may have more
   */
  public static ClusteredRatio ofSteps(List<Steps> steps, int horizon) {
    if (horizon < 1) {
      throw new IllegalArgumentException("the horizon must be at least 1, not " + horizon);
    }
    List<Values> values = new ArrayList<>();
    int reference = 0;
    int subject = 0;
    int both = 0;
    for (Steps pair : steps) {
      values.add(
          new Values(
              pair.task, restricted(pair.reference, horizon), restricted(pair.subject, horizon)));
      reference += pair.reference.reached() ? 0 : 1;
      subject += pair.subject.reached() ? 0 : 1;
      both += pair.reference.reached() || pair.subject.reached() ? 0 : 1;
    }
    return new ClusteredRatio(
        Statistic.RESTRICTED_MEANS, values, reference, subject, both, horizon);
  }

  private static double restricted(StepsToThreshold steps, int horizon) {
    if (steps.steps() > horizon) {
      throw new IllegalArgumentException(
          steps.steps() + " steps are more than the horizon of " + horizon);
    }
    return steps.reached() ? Math.max(1, steps.steps()) : horizon;
  }

  /** The geometric mean over tasks. Above 1 the subject needs less than the reference. */
  public double ratio() {
    return ratio;
  }

  /** Student's interval over tasks; none with one task. */
  public Optional<Interval> interval(double level) {
    Check.openUnit("level", level);
    int n = logs.length;
    if (n < 2) {
      return Optional.empty();
    }
    double mean = Math.log(ratio);
    double squares = 0;
    for (double log : logs) {
      squares += (log - mean) * (log - mean);
    }
    double half =
        new TDistribution(n - 1).inverseCumulativeProbability((1 + level) / 2)
            * Math.sqrt(squares / (n - 1) / n);
    return Optional.of(new Interval(Math.exp(mean - half), Math.exp(mean + half), level));
  }

  /** Number of tasks. */
  public int tasks() {
    return logs.length;
  }

  /** Number of measurements, all tasks and seeds. */
  public int pairs() {
    return pairs;
  }

  /** Measurements in which the reference never reached the threshold. */
  public int censoredReference() {
    return censoredReference;
  }

  /** Measurements in which the subject never reached the threshold. */
  public int censoredSubject() {
    return censoredSubject;
  }

  /** Whether at most half of the pairs say nothing because both sides are censored. */
  public boolean decisive() {
    return 2 * censoredBoth <= pairs;
  }

  /** The statistic in words, with what was censored. */
  public String statement() {
    StringBuilder text = new StringBuilder();
    text.append(
        String.format(Locale.ROOT, "%s, %d tasks, %d pairs", statistic.words, logs.length, pairs));
    if (statistic == Statistic.RESTRICTED_MEANS) {
      text.append(
          censoredReference + censoredSubject == 0
              ? ", none censored"
              : String.format(
                  Locale.ROOT,
                  ", censored at %d steps: %d of the reference, %d of the subject",
                  horizon,
                  censoredReference,
                  censoredSubject));
    }
    return text.toString();
  }
}
