package dev.cambium.engine.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BpeTrainerTest {

  @TempDir Path dir;

  private static int train(List<String> texts, int size, Path to) throws IOException {
    BpeTrainer trainer = new BpeTrainer();
    texts.forEach(trainer::add);
    return trainer.train(size, to);
  }

  @Test
  void writesATokenizerThatTheHuggingFaceLibraryLoads() throws IOException {
    assertThat(train(Texts.some(400, 1), 400, dir)).isEqualTo(400);
    try (HuggingFaceTokenizer loaded =
            HuggingFaceTokenizer.newInstance(dir.resolve("tokenizer.json"));
        Tokenizer ours = Tokenizer.load(dir)) {
      assertThat(ours.vocabularySize()).isEqualTo(400);
      for (String text : Texts.some(50, 2)) {
        long[] ids = loaded.encode(text, false, false).getIds();
        assertThat(loaded.decode(ids)).isEqualTo(text);
        assertThat(ids).hasSizeLessThan(text.getBytes(StandardCharsets.UTF_8).length);
        assertThat(ours.encodePlain(text)).containsExactly(narrow(ids));
      }
    }
  }

  private static int[] narrow(long[] ids) {
    return java.util.Arrays.stream(ids).mapToInt(Math::toIntExact).toArray();
  }

  @Test
  void everyByteSequenceComesBack() throws IOException {
    train(Texts.some(20, 1), 280, dir);
    try (Tokenizer tokenizer = Tokenizer.load(dir)) {
      String text = "\u0000\u0001\t\r\n\u00ad\u00a0ß\u2003𝔘😀\ufffd \u1234";
      assertThat(tokenizer.decode(tokenizer.encodePlain(text))).isEqualTo(text);
    }
  }

  /** The algorithm as the paper states it: count all, merge the best, begin again. */
  private static List<String> naive(
      Map<String, Integer> words, int merges, Map<String, Integer> ids) {
    Map<List<String>, Integer> split = new HashMap<>();
    words.forEach(
        (word, count) -> {
          List<String> letters = new ArrayList<>();
          for (char c : word.toCharArray()) {
            letters.add(c == ' ' ? "Ġ" : String.valueOf(c));
          }
          split.merge(letters, count, Integer::sum);
        });
    List<String> made = new ArrayList<>();
    while (made.size() < merges) {
      Map<List<String>, Integer> pairs = new HashMap<>();
      split.forEach(
          (word, count) -> {
            for (int i = 0; i + 1 < word.size(); i++) {
              pairs.merge(List.of(word.get(i), word.get(i + 1)), count, Integer::sum);
            }
          });
      List<String> best = null;
      for (List<String> pair : pairs.keySet()) {
        if (pairs.get(pair) >= 2 && (best == null || better(pair, best, pairs, ids))) {
          best = pair;
        }
      }
      if (best == null) {
        return made;
      }
      String merged = best.get(0) + best.get(1);
      ids.putIfAbsent(merged, ids.size());
      made.add(best.get(0) + " " + best.get(1));
      Map<List<String>, Integer> next = new HashMap<>();
      for (Map.Entry<List<String>, Integer> word : split.entrySet()) {
        List<String> now = new ArrayList<>();
        List<String> old = word.getKey();
        for (int i = 0; i < old.size(); i++) {
          if (i + 1 < old.size() && old.subList(i, i + 2).equals(best)) {
            now.add(merged);
            i++;
          } else {
            now.add(old.get(i));
          }
        }
        next.merge(now, word.getValue(), Integer::sum);
      }
      split.clear();
      split.putAll(next);
    }
    return made;
  }

  private static boolean better(
      List<String> a, List<String> b, Map<List<String>, Integer> pairs, Map<String, Integer> ids) {
    int byCount = pairs.get(a) - pairs.get(b);
    if (byCount != 0) {
      return byCount > 0;
    }
    int left = ids.get(a.get(0)) - ids.get(b.get(0));
    return left != 0 ? left < 0 : ids.get(a.get(1)) < ids.get(b.get(1));
  }

  @Test
  void mergesInTheOrderOfTheTextbookAlgorithm() throws IOException {
    Random random = new Random(5);
    for (int round = 0; round < 20; round++) {
      Map<String, Integer> words = new HashMap<>();
      List<String> texts = new ArrayList<>();
      for (int w = 0; w < 40; w++) {
        StringBuilder word = new StringBuilder(" ");
        int length = 1 + random.nextInt(9);
        for (int i = 0; i < length; i++) {
          word.append((char) ('a' + random.nextInt(3)));
        }
        int count = 1 + random.nextInt(5);
        words.merge(word.toString(), count, Integer::sum);
        texts.addAll(Collections.nCopies(count, word.toString()));
      }
      Path to = dir.resolve("round" + round);
      train(texts, BpeTrainer.SMALLEST + 40, to);
      JsonNode json = ModelText.json(to.resolve("tokenizer.json")).path("model");
      Map<String, Integer> ids = new HashMap<>();
      json.path("vocab")
          .fields()
          .forEachRemaining(
              f -> {
                if (f.getValue().asInt() < BpeTrainer.SMALLEST) {
                  ids.put(f.getKey(), f.getValue().asInt());
                }
              });
      List<String> merges = new ArrayList<>();
      json.path("merges").forEach(m -> merges.add(m.path(0).asText() + " " + m.path(1).asText()));
      assertThat(merges).isNotEmpty().isEqualTo(naive(words, merges.size(), ids));
    }
  }

  @Test
  void dependsOnTheWordsAndNotOnTheirOrder() throws IOException {
    List<String> texts = new ArrayList<>(Texts.some(300, 3));
    train(texts, 380, dir.resolve("a"));
    Collections.shuffle(texts, new Random(1));
    train(texts, 380, dir.resolve("b"));
    for (String file : List.of("tokenizer.json", "tokenizer_config.json")) {
      assertThat(Files.readAllBytes(dir.resolve("a").resolve(file)))
          .isEqualTo(Files.readAllBytes(dir.resolve("b").resolve(file)));
    }
  }

  @Test
  void stopsWhereNoPairOccursTwice() throws IOException {
    assertThat(train(List.of("ab ab cd"), 5_000, dir)).isLessThan(270);
    assertThatThrownBy(() -> train(List.of("x"), 100, dir)).hasMessageContaining("259 to");
  }

  @Test
  void learnsEightThousandTokensFromMegabytes() throws IOException {
    Random random = new Random(9);
    BpeTrainer trainer = new BpeTrainer();
    for (int row = 0; row < 20_000; row++) {
      StringBuilder text = new StringBuilder();
      for (int w = 0; w < 20; w++) {
        long rank = (long) Math.pow(30_000, random.nextDouble());
        Random letters = new Random(rank);
        text.append(' ');
        for (int i = 3 + letters.nextInt(6); i > 0; i--) {
          text.append((char) ('a' + letters.nextInt(26)));
        }
      }
      trainer.add(text.toString());
    }
    assertThat(trainer.train(8_000, dir)).isEqualTo(8_000);
  }
}
