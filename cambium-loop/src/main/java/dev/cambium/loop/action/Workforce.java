package dev.cambium.loop.action;

import java.time.Duration;
import java.util.Locale;
import java.util.Map;

/**
 * How many worker processes there are, and with how many threads each.
 *
 * <p>A model of a few million weights gains nothing from a second thread: one worker with one
 * thread for each core. A larger one is shared by a few threads, and there are as many workers as
 * memory has room for, since each holds a model of its own, with gradients and moments while it
 * trains.
 *
 * @param workers processes
 * @param threads of each; 0 lets the engine choose
 * @param remark what a user should know before it begins; empty for nothing
 */
public record Workforce(int workers, int threads, String remark) {

  /** Sets the number of workers. */
  public static final String WORKERS = "CAMBIUM_WORKERS";

  /** Sets the threads of each. */
  public static final String THREADS = "CAMBIUM_THREADS";

  /** Sets how long a worker may say nothing, in seconds. */
  public static final String PATIENCE = "CAMBIUM_WORKER_PATIENCE";

  /**
   * Half an hour: longer than a step of training, an item of a suite or the reading of a file takes
   * on any machine that such a model is trained on.
   */
  private static final Duration USUAL_PATIENCE = Duration.ofMinutes(30);

  /** Up to this size a model gains nothing from more than one thread. */
  private static final long SMALL_MODEL_BYTES = 32_000_000;

  /** Threads that share a product of a larger model before they wait for each other too much. */
  private static final int SHARING = 4;

  /**
   * Bytes of memory for each byte of a model's files while all its weights are trained: fp32
   * weights, gradients and two moments of a model stored in two bytes a weight, and activations.
   * Measured: 4.3 GB for 135 million weights.
   */
  private static final int TRAINING = 12;

  /** The same while an adapter is trained, or the model evaluated: fp32 weights and activations. */
  private static final int ADAPTING = 6;

  private static final long PROCESS_BYTES = 1_000_000_000;

  /**
   * What fits a machine.
   *
   * @param modelBytes size of the fleet's largest model, of its files
   * @param full whether any line is trained with all its weights
   * @param memory of the machine in bytes
   * @param environment where {@value #WORKERS} and {@value #THREADS} may be set
   * @throws IllegalArgumentException if they are no numbers
   */
  public static Workforce of(
      long modelBytes, boolean full, int cores, long memory, Map<String, String> environment) {
    boolean small = modelBytes <= SMALL_MODEL_BYTES;
    String threadsSet = environment.get(THREADS);
    int threads =
        threadsSet != null ? number(THREADS, threadsSet) : small ? 1 : Math.min(cores, SHARING);
    long each = PROCESS_BYTES + modelBytes * (full ? TRAINING : ADAPTING);
    long room = small ? cores : memory * 4 / 5 / each;
    String workersSet = environment.get(WORKERS);
    int workers =
        workersSet != null
            ? number(WORKERS, workersSet)
            : (int) Math.max(1, Math.min(cores / threads, room));
    String remark =
        small || workers <= room
            ? ""
            : String.format(
                Locale.ROOT,
                "%d worker%s may need %.1f GB of memory each, and this machine has %.1f GB; fewer"
                    + " rows in a step, adapters instead of full training, or a smaller %s need"
                    + " less",
                workers,
                workers == 1 ? "" : "s",
                each / 1e9,
                memory / 1e9,
                workers == 1 ? "model" : WORKERS);
    return new Workforce(workers, threadsSet != null ? 0 : threads, remark);
  }

  /**
   * How long a worker may say nothing before it counts as hung. Every step of training and every
   * item is reported.
   *
   * @throws IllegalArgumentException if {@value #PATIENCE} is no number
   */
  public static Duration patience(Map<String, String> environment) {
    String set = environment.get(PATIENCE);
    return set == null ? USUAL_PATIENCE : Duration.ofSeconds(number(PATIENCE, set));
  }

  private static int number(String variable, String text) {
    try {
      int number = Integer.parseInt(text.strip());
      if (number >= 1) {
        return number;
      }
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(variable + " must be a number, not '" + text + "'", e);
    }
    throw new IllegalArgumentException(variable + " must be at least 1, not " + text);
  }
}
