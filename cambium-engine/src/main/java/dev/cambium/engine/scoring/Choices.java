package dev.cambium.engine.scoring;

/** The likeliest of several. */
final class Choices {

  private Choices() {}

  /** Where the greatest number is; -1 if there are two of it, or if one is NaN. */
  static int best(float[] logLikelihoods) {
    int best = -1;
    boolean tie = false;
    for (int i = 0; i < logLikelihoods.length; i++) {
      float one = logLikelihoods[i];
      if (Float.isNaN(one)) {
        return -1;
      }
      if (best < 0 || one > logLikelihoods[best]) {
        best = i;
        tie = false;
      } else if (one == logLikelihoods[best]) {
        tie = true;
      }
    }
    return tie ? -1 : best;
  }
}
