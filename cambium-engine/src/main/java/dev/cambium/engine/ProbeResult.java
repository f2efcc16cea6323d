package dev.cambium.engine;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How fast a model learnt the tasks of a probe.
 *
 * @param runs one for each task and seed, in the order of the tasks
 */
public record ProbeResult(List<Run> runs) {

  public ProbeResult {
    runs = List.copyOf(runs);
  }

  /**
   * One task learnt with one seed.
   *
   * @param task its name
   * @param kind its kind
   * @param seed its seed
   * @param every steps between two losses
   * @param losses mean loss of a measured answer, in nats an answer so that tokenizers compare,
   *     after 0, every, 2 · every, … steps; those before it diverged
   * @param divergedAt step after which something was no longer a finite number; none if nothing was
   * @param seconds wall time
   */
  public record Run(
      String task,
      String kind,
      long seed,
      int every,
      List<Double> losses,
      @Nullable Integer divergedAt,
      double seconds) {

    public Run {
      losses = List.copyOf(losses);
    }
  }
}
