package dev.cambium.loop.headroom;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.cambium.model.Digest;
import dev.cambium.model.VersionRef;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * How well a version still learns, relative to its foundation: 1 is as well, less is worse. Both
 * learnt the same new tasks in the same way. What they had learnt before can help a version, so
 * more than 1 does not mean more plasticity than a foundation's.
 *
 * <p>Measured twice, by the steps that a task took and by the area under its loss curve; the
 * headroom is the worse of the two.
 *
 * @param foundation what it is compared with
 * @param steps foundation's steps to the threshold ÷ the version's
 * @param area foundation's area under the loss curve ÷ the version's; none if no run of both sides
 *     stayed finite
 * @param level of the intervals, over tasks and seeds
 * @param tasks number of tasks
 * @param runs runs of each side: tasks × seeds
 * @param horizon steps that each run was given
 * @param censored runs of the version that never reached the threshold; they count as the horizon
 * @param foundationCensored the foundation's, likewise
 * @param diverged runs of the version with a loss or gradient that is no finite number
 * @param foundationDiverged the foundation's, likewise
 * @param decisive whether most runs say something: at least half reached the threshold on one side
 * @param seconds what the probe took
 * @param foundationSeconds what the foundation's took, which all versions on it share
 * @param updateSeconds what the action that made the version took; none where it was not trained
 *     here
 * @param probe key of the action that probed the version
 * @param reference key of the one that probed the foundation
 * @param taskset artifact of the tasks
 * @param curves mean loss of each kind of task over the steps, for pictures
 */
public record Headroom(
    VersionRef foundation,
    Ratio steps,
    @Nullable Ratio area,
    double level,
    int tasks,
    int runs,
    int horizon,
    int censored,
    int foundationCensored,
    int diverged,
    int foundationDiverged,
    boolean decisive,
    double seconds,
    double foundationSeconds,
    @Nullable Double updateSeconds,
    Digest probe,
    Digest reference,
    Digest taskset,
    @JsonInclude(JsonInclude.Include.NON_EMPTY) List<Curve> curves) {

  @SuppressWarnings("ConstantValue") // absent in JSON is null here
  public Headroom {
    curves = curves == null ? List.of() : List.copyOf(curves);
  }

  /**
   * A ratio with its interval.
   *
   * @param point the estimate
   * @param lower lower end of the interval
   * @param upper its upper end
   */
  public record Ratio(double point, double lower, double upper) {
    @Override
    public String toString() {
      return String.format(Locale.ROOT, "%.2f [%.2f, %.2f]", point, lower, upper);
    }
  }

  /**
   * Mean losses of one kind of task, in nats an answer.
   *
   * @param every steps between two of them, from 0 steps on
   * @param version the version's, as long as all its runs stayed finite
   * @param foundation the foundation's, likewise
   */
  public record Curve(String kind, int every, List<Double> version, List<Double> foundation) {
    public Curve {
      version = List.copyOf(version);
      foundation = List.copyOf(foundation);
    }
  }

  /** The worse of the two measures, by the lower end of its interval. */
  public Ratio worse() {
    return worse(steps, area);
  }

  static Ratio worse(Ratio steps, @Nullable Ratio area) {
    return area == null || steps.lower() <= area.lower() ? steps : area;
  }

  /** The estimate of the worse measure. */
  public double point() {
    return worse().point();
  }

  /** The lower end of its interval. */
  public double lower() {
    return worse().lower();
  }

  /** The upper end of its interval. */
  public double upper() {
    return worse().upper();
  }

  /** What the probe took as a share of what the update took; none if that is unknown. */
  public @Nullable Double costShare() {
    return updateSeconds == null || updateSeconds <= 0 ? null : seconds / updateSeconds;
  }

  /** What was measured, in a few words. */
  public String summary() {
    StringBuilder text = new StringBuilder();
    text.append(
        String.format(
            Locale.ROOT,
            "steps %s, area %s of %s; %d tasks, %d runs",
            steps,
            area == null ? "unknown" : area.toString(),
            foundation,
            tasks,
            runs));
    if (censored + foundationCensored > 0) {
      text.append(
          String.format(
              Locale.ROOT,
              ", censored at %d steps: %d, of the foundation %d",
              horizon,
              censored,
              foundationCensored));
    }
    if (diverged + foundationDiverged > 0) {
      text.append(
          String.format(
              Locale.ROOT, ", diverged: %d, of the foundation %d", diverged, foundationDiverged));
    }
    Double share = costShare();
    text.append(String.format(Locale.ROOT, "; %.1f s", seconds));
    if (share != null) {
      text.append(String.format(Locale.ROOT, ", %.1f %% of the update", 100 * share));
    }
    return text.toString();
  }
}
