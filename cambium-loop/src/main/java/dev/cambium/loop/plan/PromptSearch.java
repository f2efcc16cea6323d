package dev.cambium.loop.plan;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Which of several wordings does best, by successive halving (Jamieson and Talwalkar, 2016): all
 * are scored on a few items, the better half on twice as many, and so on, until the last few have
 * been scored on all. What was scored counts on, so a wording that comes to the end has met each
 * item once.
 *
 * <p>The version that is to be carried is scored on the same items. The search ends early where no
 * wording has half of what that had: none of these will be let pass.
 */
public final class PromptSearch {

  /** Items of the first round, in all parts together. */
  private static final int FIRST = 8;

  /** So many are scored on all items, or eight would have decided between two. */
  private static final int FINALISTS = 2;

  /** Below this part of what the version had, a wording will not be let pass. */
  private static final double HOPELESS = 0.5;

  /** Scores a wording. */
  public interface Scoring {
    /**
     * The mean score of a wording on the first items of each part, in [0, 1].
     *
     * @param candidate its place, from 0; −1 for the version that is to be carried
     * @param items of each part
     */
    double score(int candidate, List<Integer> items);
  }

  /**
   * What was seen of a wording.
   *
   * @param candidate its place, from 0; −1 for the version that is to be carried
   * @param items how many it was scored on, in all parts
   * @param score its mean score on these, in [0, 1]
   */
  public record Look(int candidate, int items, double score) {}

  /**
   * How a search ended.
   *
   * @param best place of the wording that did best; of equally good ones the first
   * @param hopeless whether the search ended early because none comes near
   * @param looks one for each wording, the last that was taken of it, in the order of the wordings,
   *     with the version that is to be carried at the end
   */
  public record Found(int best, boolean hopeless, List<Look> looks) {
    public Found {
      looks = List.copyOf(looks);
    }
  }

  private PromptSearch() {}

  /**
   * Searches.
   *
   * @param candidates how many wordings there are, the likeliest first; at least one
   * @param parts how many items each part has
   */
  public static Found among(int candidates, List<Integer> parts, Scoring scoring) {
    List<Look> all = new ArrayList<>();
    List<Integer> left = new ArrayList<>();
    for (int i = 0; i < candidates; i++) {
      left.add(i);
    }
    Look wanted = new Look(-1, 0, 0);
    for (Round round : rounds(candidates, parts)) {
      left = new ArrayList<>(left.subList(0, round.candidates()));
      wanted = new Look(-1, round.total(), scoring.score(-1, round.items()));
      List<Look> looks = new ArrayList<>();
      for (int candidate : left) {
        looks.add(new Look(candidate, round.total(), scoring.score(candidate, round.items())));
      }
      looks.sort(
          Comparator.comparingDouble(Look::score).reversed().thenComparingInt(Look::candidate));
      left.clear();
      for (Look look : looks) {
        left.add(look.candidate());
        all.removeIf(earlier -> earlier.candidate() == look.candidate());
        all.add(look);
      }
      if (looks.get(0).score() < HOPELESS * wanted.score()) {
        return found(left.get(0), true, all, wanted);
      }
    }
    return found(left.get(0), false, all, wanted);
  }

  private static Found found(int best, boolean hopeless, List<Look> looks, Look wanted) {
    looks.sort(Comparator.comparingInt(Look::candidate));
    looks.add(wanted);
    return new Found(best, hopeless, looks);
  }

  /** How many items a search scores at most, the version that is to be carried among them. */
  public static int evaluations(int candidates, List<Integer> parts) {
    int evaluations = 0;
    int before = 0;
    for (Round round : rounds(candidates, parts)) {
      evaluations += (round.candidates() + 1) * (round.total() - before);
      before = round.total();
    }
    return evaluations;
  }

  /**
   * One round.
   *
   * @param candidates how many are still in it
   * @param items that each has been scored on after it, by part
   */
  private record Round(int candidates, List<Integer> items) {
    int total() {
      return items.stream().mapToInt(Integer::intValue).sum();
    }
  }

  private static List<Round> rounds(int candidates, List<Integer> parts) {
    List<Round> rounds = new ArrayList<>();
    int total = parts.stream().mapToInt(Integer::intValue).sum();
    int left = candidates;
    for (long items = FIRST; ; items *= 2) {
      long wanted = Math.min(items, total);
      // Rounded up, so that no part is without items in any round.
      List<Integer> each =
          parts.stream().map(part -> (int) ((wanted * part + total - 1) / total)).toList();
      rounds.add(new Round(left, each));
      if (wanted == total) {
        return rounds;
      }
      left = Math.min(left, Math.max(FINALISTS, (left + 1) / 2));
    }
  }
}
