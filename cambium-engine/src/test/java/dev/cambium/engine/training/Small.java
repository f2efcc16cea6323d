package dev.cambium.engine.training;

import dev.cambium.artifact.huggingface.DecoderConfig;
import dev.cambium.engine.decoder.Decoder;
import dev.cambium.engine.decoder.SplitMix64;
import dev.cambium.model.Recipe;
import java.util.ArrayList;
import java.util.List;

/** A tiny decoder and rows with something to learn. */
final class Small {

  static final int VOCABULARY = 31;

  private Small() {}

  static DecoderConfig config() {
    return DecoderConfig.builder()
        .hiddenSize(16)
        .layers(2)
        .heads(2)
        .keyValueHeads(1)
        .intermediateSize(24)
        .vocabularySize(VOCABULARY)
        .maxPositions(64)
        .build();
  }

  static Decoder decoder() {
    return Decoder.random(config(), 5);
  }

  /** Rows of unequal lengths in which every token is the one before it plus the first. */
  static List<TokenRow> rows(int count) {
    SplitMix64 random = new SplitMix64(99);
    List<TokenRow> rows = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int[] tokens = new int[4 + random.nextInt(14)];
      tokens[0] = 1 + random.nextInt(3);
      tokens[1] = random.nextInt(VOCABULARY);
      for (int t = 2; t < tokens.length; t++) {
        tokens[t] = (tokens[t - 1] + tokens[0]) % VOCABULARY;
      }
      rows.add(TokenRow.from(tokens, 2));
    }
    return rows;
  }

  static Recipe recipe(int steps, int batch, int accumulation) {
    return new Recipe(
        Recipe.Method.FULL,
        null,
        steps,
        batch,
        accumulation,
        32,
        0.01,
        0.1,
        Recipe.Schedule.COSINE,
        0.1,
        1.0,
        0);
  }

  static Recipe lora(int steps, Recipe.Lora lora) {
    return new Recipe(
        Recipe.Method.LORA, lora, steps, 8, 1, 32, 0.01, 0, Recipe.Schedule.CONSTANT, 0, 1.0, 0);
  }
}
