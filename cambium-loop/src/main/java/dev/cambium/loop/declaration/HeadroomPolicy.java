package dev.cambium.loop.declaration;

/**
 * How well a line's versions must still learn, and how that is measured.
 *
 * @param floor lowest acceptable lower end of the headroom's interval, in [0, 1]; with 0 it is
 *     measured and decides nothing
 * @param tasks of each kind; 0 for no measurement at all
 * @param seeds of each task
 * @param steps that each task is learnt for
 * @param learningRate constant, after a short rise
 */
public record HeadroomPolicy(double floor, int tasks, int seeds, int steps, double learningRate) {

  /** What holds where a contract asks for headroom and says no more. */
  public static final HeadroomPolicy DEFAULT = new HeadroomPolicy(0.9, 3, 3, 24, 5e-3);

  /** No measurement, although the parent's contract may ask for one. */
  public static final HeadroomPolicy OFF = new HeadroomPolicy(0, 0, 1, 24, 5e-3);

  /** Whether anything is measured. */
  public boolean on() {
    return tasks > 0;
  }
}
