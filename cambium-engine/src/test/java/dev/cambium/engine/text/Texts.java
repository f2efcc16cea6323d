package dev.cambium.engine.text;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Made-up text. */
public final class Texts {

  private static final String[] WORDS =
      ("the a my your card account money transfer lost stolen please can how do I why was it's is"
              + " not yet fee rate exchange euro dollars top-up PIN phone weekend café über naïve"
              + " 東京 € 100 25 7 3.50 blocked pending refund statement")
          .split(" ");

  private Texts() {}

  public static List<String> some(int count, long seed) {
    Random random = new Random(seed);
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      StringBuilder text = new StringBuilder();
      int length = 3 + random.nextInt(20);
      for (int w = 0; w < length; w++) {
        text.append(w == 0 ? "" : random.nextInt(12) == 0 ? "\n " : " ");
        // Squared, so that some words are much more frequent than others.
        double share = random.nextDouble();
        text.append(WORDS[(int) (share * share * WORDS.length)]);
      }
      texts.add(text.append(random.nextBoolean() ? "?" : ".").toString());
    }
    return texts;
  }
}
