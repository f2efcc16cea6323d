package dev.cambium.engine.generation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cambium.artifact.huggingface.DecoderConfig;
import dev.cambium.engine.decoder.Decoder;
import dev.cambium.engine.decoder.Logits;
import dev.cambium.engine.generation.Completion.End;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class GeneratorTest {

  private static Decoder decoder;

  @BeforeAll
  static void make() {
    decoder =
        Decoder.random(
            DecoderConfig.builder()
                .hiddenSize(32)
                .layers(2)
                .heads(4)
                .keyValueHeads(2)
                .vocabularySize(50)
                .maxPositions(64)
                .initializerRange(0.5)
                .build(),
            4);
  }

  @AfterAll
  static void close() {
    decoder.close();
  }

  /** One prompt, every token by reading everything again. */
  private static Completion naive(int[] prompt, Set<Integer> stops, int maxNew) {
    int[] all = prompt;
    int room = Math.min(maxNew, 64 - prompt.length);
    while (all.length < prompt.length + room) {
      int next;
      try (Logits logits = decoder.logits(new int[][] {all}, new int[][] {{all.length - 1}})) {
        next = logits.argmax()[0];
      }
      if (stops.contains(next)) {
        return new Completion(Arrays.copyOfRange(all, prompt.length, all.length), End.STOPPED);
      }
      all = Arrays.copyOf(all, all.length + 1);
      all[all.length - 1] = next;
    }
    return new Completion(Arrays.copyOfRange(all, prompt.length, all.length), End.LENGTH);
  }

  private static int[] random(Random random, int length) {
    return random.ints(length, 0, 50).toArray();
  }

  private static void sameAsNaive(List<int[]> prompts, Set<Integer> stops, int maxNew) {
    List<Completion> answers =
        new Generator(decoder, stops).generate(prompts, Sampling.greedy(maxNew), n -> {});
    for (int i = 0; i < prompts.size(); i++) {
      Completion expected = naive(prompts.get(i), stops, maxNew);
      assertThat(answers.get(i).ids()).as("prompt %d", i).containsExactly(expected.ids());
      assertThat(answers.get(i).end()).isEqualTo(expected.end());
    }
  }

  @Test
  void batchesGiveWhatOnePromptAloneGives() {
    Random random = new Random(1);
    List<int[]> prompts = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      prompts.add(random(random, 1 + random.nextInt(30)));
    }
    sameAsNaive(prompts, Set.of(3, 11, 17, 20, 29, 41), 12);
  }

  @Test
  void aSharedBeginningIsReadOnceAndChangesNothing() {
    Random random = new Random(2);
    int[] shared = random(random, 20);
    List<int[]> prompts = new ArrayList<>();
    prompts.add(shared);
    for (int i = 0; i < 10; i++) {
      int[] prompt = Arrays.copyOf(shared, 21 + random.nextInt(8));
      for (int t = 20; t < prompt.length; t++) {
        prompt[t] = random.nextInt(50);
      }
      prompts.add(prompt);
    }
    assertThat(PromptReader.commonPrefix(prompts.toArray(new int[0][]))).isEqualTo(19);
    sameAsNaive(prompts, Set.of(5, 6, 7), 10);
  }

  @Test
  void stopsAtTheEndOfTheContext() {
    int[] long60 = random(new Random(3), 60);
    int[] full = random(new Random(3), 64);
    List<Completion> answers =
        new Generator(decoder, Set.of())
            .generate(List.of(long60, full), Sampling.greedy(30), n -> {});
    assertThat(answers.get(0).ids()).hasSize(4);
    assertThat(answers.get(0).end()).isEqualTo(End.LENGTH);
    assertThat(answers.get(1).end()).isEqualTo(End.NO_ROOM);
  }

  @Test
  void theSameSeedGivesTheSameAnswersWhateverTheBatch() {
    Random random = new Random(5);
    List<int[]> prompts = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      prompts.add(random(random, 4 + i));
    }
    Generator generator = new Generator(decoder, Set.of(1));
    Sampling sampling = new Sampling(8, 1.0, 20, 0.95, 7);
    List<Completion> first = generator.generate(prompts, sampling, n -> {});
    List<Completion> again = generator.generate(prompts, sampling, n -> {});
    List<Completion> other =
        generator.generate(prompts, new Sampling(8, 1.0, 20, 0.95, 8), n -> {});
    boolean differs = false;
    for (int i = 0; i < 6; i++) {
      assertThat(again.get(i).ids()).containsExactly(first.get(i).ids());
      differs |= !Arrays.equals(other.get(i).ids(), first.get(i).ids());
    }
    assertThat(differs).isTrue();
    Completion alone = generator.stream(prompts.get(0), sampling, token -> true);
    assertThat(alone.ids()).containsExactly(first.get(0).ids());
  }

  @Test
  void streamingHearsEveryTokenAndCanStop() {
    int[] prompt = random(new Random(6), 5);
    Generator generator = new Generator(decoder, Set.of());
    List<Integer> heard = new ArrayList<>();
    Completion all = generator.stream(prompt, Sampling.greedy(9), heard::add);
    assertThat(heard)
        .hasSize(9)
        .containsExactlyElementsOf(Arrays.stream(all.ids()).boxed().toList());
    Completion cut = generator.stream(prompt, Sampling.greedy(9), token -> false);
    assertThat(cut.ids()).containsExactly(all.ids()[0]);
  }

  @Test
  void batchesStayWithinTheMemoryForTheirCache() {
    // 2 sides × 2 layers × 2 heads × width 8 × 4 bytes = 256 bytes a token.
    DecoderConfig config = decoder.config();
    assertThat(CacheBudget.rows(config, 64, 32)).isEqualTo(32);
    assertThat(CacheBudget.rows(config, 1 << 20, 32)).isEqualTo(4);
    assertThat(CacheBudget.rows(config, 1L << 40, 32)).isEqualTo(1);
  }

  @Test
  void saysSoWhenTheModelIsBroken() {
    try (Decoder broken = decoder.copy()) {
      float[] norm = broken.read("model.norm.weight");
      norm[0] = Float.NaN;
      broken.write("model.norm.weight", norm);
      for (Sampling sampling : List.of(Sampling.greedy(5), new Sampling(5, 1, 0, 1, 0))) {
        Completion answer =
            new Generator(broken, Set.of()).stream(new int[] {1, 2}, sampling, token -> true);
        assertThat(answer.end()).isEqualTo(End.NOT_FINITE);
        assertThat(answer.usable()).isFalse();
      }
    }
  }
}
