package dev.cambium.engine.generation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.cambium.artifact.huggingface.DecoderConfig;
import dev.cambium.engine.decoder.Decoder;
import dev.cambium.engine.decoder.KeyValueCache;
import dev.cambium.engine.decoder.Logits;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class PromptReaderTest {

  private static final DecoderConfig CONFIG =
      DecoderConfig.builder()
          .hiddenSize(32)
          .layers(2)
          .heads(4)
          .keyValueHeads(2)
          .vocabularySize(50)
          .maxPositions(64)
          .initializerRange(0.4)
          .build();

  private static int[] prompt(int[] beginning, int middle, int[] rest) {
    int[] prompt = Arrays.copyOf(beginning, beginning.length + middle + rest.length);
    Arrays.fill(prompt, beginning.length, beginning.length + middle, 7);
    System.arraycopy(rest, 0, prompt, beginning.length + middle, rest.length);
    return prompt;
  }

  private static void sameAsWhole(Decoder decoder, PromptReader reader, int[][] prompts) {
    try (KeyValueCache cache = reader.read(prompts, 2);
        Logits actual = decoder.next(cache)) {
      for (int b = 0; b < prompts.length; b++) {
        int last = prompts[b].length - 1;
        try (Logits expected = decoder.logits(new int[][] {prompts[b]}, new int[][] {{last}})) {
          assertThat(cache.length(b)).isEqualTo(prompts[b].length);
          float[] line = expected.line(0);
          float[] found = actual.line(b);
          for (int i = 0; i < line.length; i++) {
            assertThat(found[i]).isCloseTo(line[i], within(1e-5f * (1 + Math.abs(line[i]))));
          }
        }
      }
    }
  }

  @Test
  void sharedBeginningsChangeNothing() {
    int[] beginning = new Random(1).ints(12, 0, 50).toArray();
    int[] other = new Random(2).ints(9, 10, 50).toArray();
    int[][] first = {
      prompt(beginning, 0, new int[] {1}),
      prompt(beginning, 0, new int[] {2, 3, 4, 5}),
      prompt(beginning, 0, new int[] {2, 3})
    };
    // A batch that shares more than all do, and one of a single row.
    int[][] second = {
      prompt(beginning, 10, new int[] {8, 9}), prompt(beginning, 10, new int[] {1, 1, 1})
    };
    int[][] third = {prompt(beginning, 0, new int[] {4, 4, 4})};
    try (Decoder decoder = Decoder.random(CONFIG, 3)) {
      List<int[]> all = List.of(first[0], first[1], first[2], second[0], second[1], third[0]);
      try (PromptReader reader = new PromptReader(decoder, all)) {
        assertThat(reader.shared()).isEqualTo(12);
        sameAsWhole(decoder, reader, first);
        sameAsWhole(decoder, reader, second);
        sameAsWhole(decoder, reader, third);
        sameAsWhole(decoder, reader, first);
      }
      try (PromptReader reader =
          new PromptReader(decoder, List.of(first[0], second[0], second[1], other))) {
        assertThat(reader.shared()).isZero();
        sameAsWhole(decoder, reader, second);
        sameAsWhole(decoder, reader, new int[][] {first[0], other});
      }
    }
  }

  @Test
  void thePrefixIsShorterThanEveryPrompt() {
    assertThat(PromptReader.commonPrefix(new int[][] {{1, 2, 3}, {1, 2}})).isEqualTo(1);
    assertThat(PromptReader.commonPrefix(new int[][] {{1, 2, 3}, {1, 2, 4}})).isEqualTo(2);
    assertThat(PromptReader.commonPrefix(new int[][] {{1, 2}, {1, 2}})).isEqualTo(1);
    assertThat(PromptReader.commonPrefix(new int[][] {{1}, {2}})).isZero();
  }
}
