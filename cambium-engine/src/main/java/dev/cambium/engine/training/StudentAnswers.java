package dev.cambium.engine.training;

import dev.cambium.engine.decoder.Decoder;
import dev.cambium.engine.generation.Completion;
import dev.cambium.engine.generation.Generator;
import dev.cambium.engine.generation.Sampling;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.function.IntPredicate;

/**
 * A share of the rows of every step with answers that the model gives itself, so that it is
 * corrected where it really goes (on-policy; Agarwal et al., 2024).
 */
public final class StudentAnswers implements Practice {

  private final double share;
  private final double temperature;
  private final int maxTokens;
  private final List<Integer> stops;
  private final int endOfTurn;
  private final IntPredicate usable;
  private final long seed;

  /**
   * Own answers.
   *
   * @param share of the rows, in [0, 1]
   * @param maxTokens longest row
   * @param stops tokens that end an answer
   * @param endOfTurn what stands at the end of an answer that has ended; negative for nothing
   * @param usable which tokens an answer may hold; it is cut before another
   */
  public StudentAnswers(
      double share,
      double temperature,
      int maxTokens,
      Collection<Integer> stops,
      int endOfTurn,
      IntPredicate usable,
      long seed) {
    this.share = share;
    this.temperature = temperature;
    this.maxTokens = maxTokens;
    this.stops = List.copyOf(stops);
    this.endOfTurn = endOfTurn;
    this.usable = usable;
    this.seed = seed;
  }

  @Override
  public List<TokenRow> rows(int step, List<TokenRow> drawn, Decoder model) {
    // Over all steps exactly the share, whatever the size of a batch.
    long before = (long) Math.floor(share * step * drawn.size() + 1e-9);
    long after = (long) Math.floor(share * (step + 1.0) * drawn.size() + 1e-9);
    int count = (int) (after - before);
    if (count == 0) {
      return drawn;
    }
    List<int[]> prompts = new ArrayList<>();
    int longest = 1;
    for (TokenRow row : drawn.subList(0, count)) {
      int begin = row.supervised().nextSetBit(0);
      prompts.add(Arrays.copyOf(row.tokens(), begin));
      // Half as long again as what was recorded: what goes on for ever teaches little.
      longest = Math.max(longest, (row.length() - begin) * 3 / 2 + 2);
    }
    Sampling sampling = new Sampling(longest, temperature, 0, 1, seed ^ (step + 1L));
    model.weightsMoved();
    List<Completion> answers = new Generator(model, stops).generate(prompts, sampling, done -> {});
    List<TokenRow> rows = new ArrayList<>(drawn);
    for (int i = 0; i < count; i++) {
      int[] prompt = prompts.get(i);
      int[] ids = Arrays.stream(answers.get(i).ids()).takeWhile(usable).toArray();
      boolean ended =
          answers.get(i).end() == Completion.End.STOPPED
              && ids.length == answers.get(i).ids().length
              && endOfTurn >= 0;
      int[] whole = Arrays.copyOf(prompt, prompt.length + ids.length + (ended ? 1 : 0));
      System.arraycopy(ids, 0, whole, prompt.length, ids.length);
      if (ended) {
        whole[whole.length - 1] = endOfTurn;
      }
      if (whole.length > prompt.length && prompt.length < maxTokens) {
        rows.set(i, TokenRow.from(whole, prompt.length).cut(maxTokens));
      }
    }
    return rows;
  }

  @Override
  public String name() {
    return "student-answers-" + share + "-" + temperature;
  }
}
