package dev.cambium.loop.declaration;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.cambium.model.Channel;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * How the loop decides.
 *
 * @param alpha bound on the rate of false releases per gate, in (0, 0.5]
 * @param chunk items per evaluation step
 * @param seed of everything that is drawn
 * @param stages the channels that a new version passes through, in order; the last is stable
 * @param approve kinds of steps that wait for somebody's yes
 */
public record Policy(
    double alpha, int chunk, long seed, List<Channel> stages, Set<DecisionPoint> approve) {

  /** What holds where nothing is declared. */
  public static final Policy DEFAULT =
      new Policy(0.05, 25, 1, List.of(Channel.CANDIDATE, Channel.STABLE), Set.of());

  /** Kinds of steps that somebody may want to approve. */
  public enum DecisionPoint {
    @JsonProperty("prompt")
    PROMPT,
    @JsonProperty("transplant")
    TRANSPLANT,
    @JsonProperty("align")
    ALIGN,
    @JsonProperty("distill")
    DISTILL,
    @JsonProperty("retrain")
    RETRAIN,
    @JsonProperty("release")
    RELEASE;

    /** The written form. */
    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  public Policy {
    stages = List.copyOf(stages);
    Set<DecisionPoint> points = EnumSet.noneOf(DecisionPoint.class);
    points.addAll(approve);
    approve = java.util.Collections.unmodifiableSet(points);
  }
}
