package dev.cambium.engine.generation;

/**
 * How tokens are chosen.
 *
 * @param maxNewTokens the longest answer
 * @param temperature logits are divided by it; 0 takes the likeliest token always
 * @param topK only that many of the likeliest tokens are considered; 0 for all
 * @param topP only the likeliest tokens that together have this probability are considered
 *     (Holtzman et al., 2020); 1 for all
 * @param seed of the choices; rows have generators of their own, by their position
 */
public record Sampling(int maxNewTokens, double temperature, int topK, double topP, long seed) {

  public Sampling {
    require(maxNewTokens >= 1, "max-new-tokens must be at least 1: " + maxNewTokens);
    require(
        temperature >= 0 && temperature <= 100, "temperature must be in [0, 100]: " + temperature);
    require(topK >= 0, "top-k must not be negative: " + topK);
    require(topP > 0 && topP <= 1, "top-p must be in (0, 1]: " + topP);
  }

  /** The likeliest token always. */
  public static Sampling greedy(int maxNewTokens) {
    return new Sampling(maxNewTokens, 0, 0, 1, 0);
  }

  private static void require(boolean condition, String message) {
    if (!condition) {
      throw new IllegalArgumentException(message);
    }
  }
}
