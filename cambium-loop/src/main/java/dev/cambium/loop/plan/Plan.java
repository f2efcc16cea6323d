package dev.cambium.loop.plan;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.cambium.loop.governor.Choice;
import dev.cambium.model.Rung;
import dev.cambium.model.Tier;
import dev.cambium.model.VersionRef;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The steps of a campaign, parents before children.
 *
 * @param signals that it answers
 * @param steps one for each affected line
 * @param unaffected lines that nothing reaches
 * @param waiting lines that cannot be settled yet, with the reason
 * @param seconds estimated wall time if every line takes its first rung
 * @param expectedSeconds estimated wall time as often as rungs have passed so far; none in plans
 *     from before there was this field
 * @param worstSeconds estimated wall time if every line needs its dearest rung
 */
public record Plan(
    List<String> signals,
    List<Step> steps,
    @JsonInclude(JsonInclude.Include.NON_EMPTY) List<String> unaffected,
    @JsonInclude(JsonInclude.Include.NON_EMPTY) Map<String, String> waiting,
    double seconds,
    @Nullable Double expectedSeconds,
    double worstSeconds) {

  @SuppressWarnings("ConstantValue") // absent in JSON is null here
  public Plan {
    signals = List.copyOf(signals);
    steps = List.copyOf(steps);
    unaffected = unaffected == null ? List.of() : List.copyOf(unaffected);
    waiting =
        waiting == null ? Map.of() : java.util.Collections.unmodifiableMap(new TreeMap<>(waiting));
  }

  /** Why a line has a step. */
  public enum Cause {
    /** A version that was imported waits to be judged. */
    @JsonProperty("adopt")
    ADOPT,
    /** New data arrived for it. */
    @JsonProperty("learn")
    LEARN,
    /** It is merged from lines that changed or are about to. */
    @JsonProperty("merge")
    MERGE,
    /** The line that it is built on is about to change. */
    @JsonProperty("carry")
    CARRY,
    /** Its application file is new or was edited. */
    @JsonProperty("declare")
    DECLARE
  }

  /**
   * What is to be done about one line.
   *
   * @param line its name
   * @param current its stable version; none before its first
   * @param signals those of its own
   * @param adopt for {@link Cause#ADOPT}: the version to judge
   * @param rungs ways to a candidate, in the order in which they are tried
   * @param seconds estimate for the first rung, its evaluation included
   * @param expected estimate as often as rungs have passed so far; none in plans from before there
   *     was this field
   * @param worstSeconds estimate for all rungs
   * @param measured whether the estimate rests on recorded actions
   * @param approval whether a person has to approve before it begins
   * @param why one sentence
   * @param update how an update of a line with a stable version is made, and why; none for other
   *     steps
   */
  public record Step(
      String line,
      Tier tier,
      Cause cause,
      @Nullable VersionRef current,
      @JsonInclude(JsonInclude.Include.NON_EMPTY) List<String> signals,
      @Nullable VersionRef adopt,
      List<Rung> rungs,
      double seconds,
      @Nullable Double expected,
      double worstSeconds,
      boolean measured,
      boolean approval,
      String why,
      @Nullable Choice update) {
    @SuppressWarnings("ConstantValue") // absent in JSON is null here
    public Step {
      signals = signals == null ? List.of() : List.copyOf(signals);
      rungs = List.copyOf(rungs);
    }
  }
}
