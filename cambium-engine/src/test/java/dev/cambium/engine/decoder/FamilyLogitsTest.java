package dev.cambium.engine.decoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.cambium.artifact.huggingface.DecoderConfig;
import dev.cambium.engine.training.Objective;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Every family and every scaling of the rotary embedding against transformers: whole rows in one
 * batch, rows by themselves, and token by token with a cache; the longer row goes beyond the
 * original context, and beyond the windows.
 */
class FamilyLogitsTest {

  private static final double TOLERANCE = 1e-5;

  @TempDir Path folder;

  private static List<String> names() {
    return Families.names().stream().filter(n -> !n.endsWith("16")).toList();
  }

  private static void assertClose(float[] actual, float[] expected, String what) {
    assertThat(Reference.relativeError(actual, expected)).as(what).isLessThan(TOLERANCE);
  }

  @ParameterizedTest
  @MethodSource("names")
  void bothSpellingsAreTheSameModel(String name) {
    DecoderConfig current = Families.config(name);
    DecoderConfig old = Families.oldConfig(name);
    assertThat(old.ropeScaling()).isEqualTo(current.ropeScaling());
    assertThat(old.ropeTheta()).isEqualTo(current.ropeTheta());
    assertThat(old.windows()).isEqualTo(current.windows());
    assertThat(old.tensors()).isEqualTo(current.tensors());
    assertThat(DecoderConfig.parse(current.toJson(Precision.F32.dtype()))).isEqualTo(current);
  }

  @ParameterizedTest
  @MethodSource("names")
  void wholeRowsOfUnequalLengths(String name) {
    int[][] rows = Families.rows();
    int[][] positions =
        Arrays.stream(rows).map(r -> new int[] {r.length / 2, r.length - 1}).toArray(int[][]::new);
    try (Decoder decoder = Families.decoder(name);
        Logits logits = decoder.logits(rows, positions)) {
      for (int b = 0; b < rows.length; b++) {
        for (int which = 0; which < 2; which++) {
          float[] expected = Families.whole(name, b, which);
          assertClose(logits.line(2 * b + which), expected, name + ", row " + b);
          try (Logits alone =
              decoder.logits(new int[][] {rows[b]}, new int[][] {{positions[b][which]}})) {
            assertClose(alone.line(0), expected, name + ", row " + b + " alone");
          }
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("names")
  void tokenByTokenWithACache(String name) {
    int[][] rows = Families.rows();
    int[] prompts = Families.prompts();
    try (Decoder decoder = Families.decoder(name)) {
      for (int b = 0; b < rows.length; b++) {
        int[] prompt = Arrays.copyOf(rows[b], prompts[b]);
        try (KeyValueCache cache = decoder.prefill(new int[][] {prompt}, 4)) {
          for (int t = prompts[b]; t < rows[b].length; t++) {
            decoder.step(cache, new int[] {rows[b][t]}).close();
          }
          try (Logits logits = decoder.next(cache)) {
            assertClose(logits.line(0), Families.stepped(name, b), name + ", row " + b);
          }
        }
      }
    }
  }

  /** Two rows of unequal length in one cache: neither may see, or be rotated by, the other. */
  @ParameterizedTest
  @MethodSource("names")
  void rowsThatShareACacheDoNotMeet(String name) {
    int[] row = Families.rows()[1];
    int prompt = Families.prompts()[1];
    int[] other = {3, 1, 2};
    try (Decoder decoder = Families.decoder(name);
        KeyValueCache cache = decoder.prefill(new int[][] {other, Arrays.copyOf(row, prompt)}, 0)) {
      for (int t = prompt; t < row.length; t++) {
        decoder.step(cache, new int[] {t % 7, row[t]}).close();
      }
      try (Logits logits = decoder.next(cache)) {
        assertClose(logits.line(1), Families.stepped(name, 1), name);
      }
    }
  }

  /** What training computes is what generation computes: the loss is that of the whole rows. */
  @ParameterizedTest
  @MethodSource("names")
  void theLossOfTrainingIsThatOfTheReference(String name) {
    int[][] rows = Families.rows();
    int[][] positions = {{rows[0].length - 1}, {rows[1].length - 1}};
    double expected = 0;
    for (int b = 0; b < rows.length; b++) {
      float[] line = Families.whole(name, b, 1);
      double sum = 0;
      for (float logit : line) {
        sum += Math.exp(logit);
      }
      expected += Math.log(sum) - line[7];
    }
    try (Decoder decoder = Families.decoder(name);
        Trainable trainable = Trainable.of(decoder)) {
      double loss =
          trainable.accumulate(rows, positions, new int[][] {{7}, {7}}, Objective.NEXT_TOKEN, 1);
      assertThat(loss).isCloseTo(expected, within(1e-4));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama-bf16", "llama-fp16"})
  void weightsOfSixteenBits(String name) throws IOException {
    Precision precision = name.endsWith("bf16") ? Precision.BF16 : Precision.F16;
    try (Decoder decoder = Families.decoder(name)) {
      decoder.save(folder, precision);
    }
    assertThat(Files.readString(folder.resolve("config.json"))).contains("LlamaForCausalLM");
    int[] row = Families.rows()[1];
    try (Decoder decoder = Decoder.load(folder);
        Logits logits = decoder.logits(new int[][] {row}, new int[][] {{row.length - 1}})) {
      assertClose(logits.line(0), Families.whole(name, 1, 1), name);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"qwen2-window", "qwen3-bias-window-yarn", "mistral-window", "qwen3"})
  void savedAndLoadedIsTheSame(String name) {
    int[] row = Families.rows()[1];
    try (Decoder decoder = Families.decoder(name)) {
      decoder.save(folder, Precision.F32);
    }
    try (Decoder decoder = Decoder.load(folder);
        Logits logits = decoder.logits(new int[][] {row}, new int[][] {{row.length - 1}})) {
      assertClose(logits.line(0), Families.whole(name, 1, 1), name);
    }
  }

  @Test
  void scalingThatStretchesTheContextSaysSo() {
    assertThat(Families.config("llama-dynamic").contextLength()).isEqualTo(48);
    assertThat(Families.config("llama-yarn").contextLength()).isEqualTo(64);
    assertThat(Families.config("llama").contextLength()).isEqualTo(64);
  }
}
