package dev.cambium.model;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * How a line is taught by its own earlier version when it is carried to a new parent (generalized
 * knowledge distillation; Agarwal et al., 2024). {@code ecosystem.yaml} has it under a recipe's
 * {@code distill}.
 *
 * @param steps share of the recipe's steps, in (0, 1]: distilling should cost less than retraining
 * @param onPolicy share of each batch whose answers the student gives itself, in [0, 1]; the others
 *     are the recorded ones
 * @param divergence between the teacher's and the student's distributions
 * @param mixture β of {@link Divergence#JSD}: the teacher's share of the mixture, in (0, 1)
 * @param temperature of the student's own answers
 * @param rows share of the rows of a step, in (0, 1]: fewer rows in more steps read as much
 * @param rate times the recipe's learning rate
 */
public record Distillation(
    double steps,
    double onPolicy,
    Divergence divergence,
    double mixture,
    double temperature,
    double rows,
    double rate) {

  /** What holds where nothing is declared. */
  public static final Distillation DEFAULT =
      new Distillation(0.25, 0.5, Divergence.FORWARD_KL, 0.5, 1);

  /** A divergence of the student's distribution Q from the teacher's P. */
  public enum Divergence {
    /** KL(P ‖ Q): the student covers all that the teacher may say. */
    @JsonProperty("forward-kl")
    FORWARD_KL,
    /** KL(Q ‖ P): the student says nothing that the teacher would not. */
    @JsonProperty("reverse-kl")
    REVERSE_KL,
    /** β · KL(P ‖ M) + (1 − β) · KL(Q ‖ M) with M = β · P + (1 − β) · Q. */
    @JsonProperty("jsd")
    JSD
  }

  /** With the recipe's own rows and learning rate. */
  public Distillation(
      double steps, double onPolicy, Divergence divergence, double mixture, double temperature) {
    this(steps, onPolicy, divergence, mixture, temperature, 1, 1);
  }

  public Distillation {
    rows = rows == 0 ? 1 : rows; // absent in JSON
    rate = rate == 0 ? 1 : rate;
    require(rows > 0 && rows <= 1, "rows must be in (0, 1]: " + rows);
    require(rate > 0 && rate <= 100, "rate must be in (0, 100]: " + rate);
    require(steps > 0 && steps <= 1, "steps must be in (0, 1]: " + steps);
    require(onPolicy >= 0 && onPolicy <= 1, "on-policy must be in [0, 1]: " + onPolicy);
    require(mixture > 0 && mixture < 1, "mixture must be in (0, 1): " + mixture);
    require(
        temperature > 0 && temperature <= 100, "temperature must be in (0, 100]: " + temperature);
  }

  private static void require(boolean condition, String message) {
    if (!condition) {
      throw new IllegalArgumentException("distill: " + message);
    }
  }
}
