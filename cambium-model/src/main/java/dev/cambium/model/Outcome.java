package dev.cambium.model;

/**
 * What one version did on one item.
 *
 * @param item the item's id
 * @param judgement the scorer's word
 * @param score in [0, 1]: 1 or 0 where the scorer only knows right and wrong, the geometric mean
 *     probability of a token or byte for scorers of likelihood; 0 where undecidable
 * @param output what the model answered, at most 2,000 characters
 */
public record Outcome(String item, Judgement judgement, double score, String output) {

  public Outcome {
    if (!(score >= 0 && score <= 1)) {
      throw new IllegalArgumentException(item + ": score outside [0, 1]: " + score);
    }
  }
}
