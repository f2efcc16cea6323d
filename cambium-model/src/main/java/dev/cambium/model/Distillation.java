package dev.cambium.model;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import org.jspecify.annotations.Nullable;

/**
 * How a line is taught by its own earlier version when it is carried to a new parent (generalized
 * knowledge distillation; Agarwal et al., 2024). {@code ecosystem.yaml} has it under a recipe's
 * {@code distill}.
 *
 * @param steps times the recipe's steps; with {@code rows} at most what retraining reads
 * @param onPolicy share of each batch whose answers the student gives itself, in [0, 1]; the others
 *     are the recorded ones
 * @param divergence between the teacher's and the student's distributions
 * @param mixture β of {@link Divergence#JSD}: the teacher's share of the mixture, in (0, 1)
 * @param temperature of the student's own answers
 * @param rows share of the rows of a step, in (0, 1]: fewer rows in more steps read as much
 * @param rate times the recipe's learning rate
 * @param labels weight of the recorded answers themselves, as in plain training, in [0, 1]; the
 *     rest is the divergence from the teacher (Hinton et al., 2015), who is not asked where there
 *     is no rest. Not with answers of the student's
 */
public record Distillation(
    double steps,
    double onPolicy,
    Divergence divergence,
    double mixture,
    double temperature,
    double rows,
    double rate,
    @JsonInclude(JsonInclude.Include.NON_DEFAULT) double labels) {

  /**
   * What holds where nothing is declared: as many steps as retraining, of a quarter of the rows.
   * Among ways that read a quarter of what retraining reads this kept most for models trained whole
   * and nearly so for adapters; answers of the student's own cost more than they brought.
   */
  public static final Distillation DEFAULT =
      new Distillation(1, 0, Divergence.FORWARD_KL, 0.5, 1, 0.25, 1, 0);

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

  /** From JSON, where the latter three may be absent. */
  @JsonCreator
  static Distillation read(
      @JsonProperty("steps") double steps,
      @JsonProperty("on-policy") double onPolicy,
      @JsonProperty("divergence") Divergence divergence,
      @JsonProperty("mixture") double mixture,
      @JsonProperty("temperature") double temperature,
      @JsonProperty("rows") @Nullable Double rows,
      @JsonProperty("rate") @Nullable Double rate,
      @JsonProperty("labels") @Nullable Double labels) {
    return new Distillation(
        steps,
        onPolicy,
        divergence,
        mixture,
        temperature,
        rows == null ? 1 : rows,
        rate == null ? 1 : rate,
        labels == null ? 0 : labels);
  }

  /** With the recipe's own rows and learning rate. */
  public Distillation(
      double steps, double onPolicy, Divergence divergence, double mixture, double temperature) {
    this(steps, onPolicy, divergence, mixture, temperature, 1, 1, 0);
  }

  public Distillation {
    require(rows > 0 && rows <= 1, "rows must be in (0, 1]: " + rows);
    require(rate > 0 && rate <= 100, "rate must be in (0, 100]: " + rate);
    require(
        steps > 0 && steps * rows <= 1 + 1e-9,
        "steps must be above 0, and times rows at most 1, or it reads more than retraining: "
            + steps);
    require(labels >= 0 && labels <= 1, "labels must be in [0, 1]: " + labels);
    require(labels == 0 || onPolicy == 0, "labels: not with on-policy, whose answers have none");
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
