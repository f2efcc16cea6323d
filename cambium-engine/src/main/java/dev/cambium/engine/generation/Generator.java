package dev.cambium.engine.generation;

import dev.cambium.engine.decoder.Decoder;
import dev.cambium.engine.decoder.KeyValueCache;
import dev.cambium.engine.decoder.Logits;
import dev.cambium.engine.decoder.SplitMix64;
import dev.cambium.engine.generation.Completion.End;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.IntConsumer;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/**
 * Generates answers, many at once.
 *
 * <p>Prompts are put into batches by length, so that little is padding. What all prompts begin
 * with, such as an application's instruction, is read once ({@link PromptReader}). Rows that have
 * ended are dropped from the cache, and the others go on without them. Rows never influence each
 * other, but the processor may round differently in another batch. One thread at a time, as the
 * decoder.
 */
public final class Generator {

  private static final int MAX_ROWS = 32;

  private final Decoder decoder;
  private final Set<Integer> stops;

  /**
   * A generator.
   *
   * @param stopIds tokens that end an answer
   */
  public Generator(Decoder decoder, Collection<Integer> stopIds) {
    this.decoder = decoder;
    this.stops = Set.copyOf(new HashSet<>(stopIds));
  }

  /**
   * Answers prompts.
   *
   * @param prompts token ids, at least one each
   * @param finished hears how many prompts are answered so far
   * @return answers in the order of the prompts
   */
  public List<Completion> generate(List<int[]> prompts, Sampling sampling, IntConsumer finished) {
    Completion[] answers = new Completion[prompts.size()];
    List<Integer> byLength =
        IntStream.range(0, answers.length)
            .boxed()
            .sorted(Comparator.comparingInt(i -> prompts.get(i).length))
            .toList();
    int done = 0;
    try (PromptReader reader = new PromptReader(decoder, prompts)) {
      for (int from = 0; from < byLength.size(); ) {
        int to = batchEnd(prompts, byLength, from, sampling);
        new Batch(prompts, byLength.subList(from, to), sampling).run(reader, answers);
        done += to - from;
        finished.accept(done);
        from = to;
      }
    }
    return List.of(answers);
  }

  private int batchEnd(List<int[]> prompts, List<Integer> byLength, int from, Sampling sampling) {
    int to = from + 1;
    while (to < byLength.size()) {
      long width =
          Math.min(
              (long) prompts.get(byLength.get(to)).length + sampling.maxNewTokens(),
              decoder.config().contextLength());
      if (to - from + 1 > CacheBudget.rows(decoder.config(), width, MAX_ROWS)) {
        break;
      }
      to++;
    }
    return to;
  }

  /**
   * Answers one prompt, token by token.
   *
   * @param goOn hears each token as it is made, and says whether to make more
   */
  public Completion stream(int[] prompt, Sampling sampling, IntPredicate goOn) {
    Completion[] answer = new Completion[1];
    Batch batch = new Batch(List.of(prompt), List.of(0), sampling);
    batch.listener = goOn;
    try (PromptReader reader = new PromptReader(decoder, List.of(prompt))) {
      batch.run(reader, answer);
    }
    return answer[0];
  }

  /** How many tokens may follow a prompt. */
  private int room(int[] prompt, Sampling sampling) {
    return Math.min(sampling.maxNewTokens(), decoder.config().contextLength() - prompt.length);
  }

  /** Rows that are generated together. */
  private final class Batch {
    private final List<int[]> prompts;
    private final Sampling sampling;
    private final List<Row> rows = new ArrayList<>();
    private final List<Integer> hopeless = new ArrayList<>();
    private IntPredicate listener = token -> true;

    Batch(List<int[]> all, List<Integer> indices, Sampling sampling) {
      this.sampling = sampling;
      this.prompts = new ArrayList<>();
      for (int index : indices) {
        int[] prompt = all.get(index);
        int room = room(prompt, sampling);
        if (room < 1) {
          hopeless.add(index);
        } else {
          prompts.add(prompt);
          rows.add(new Row(index, room, SplitMix64.named(sampling.seed(), "row " + index)));
        }
      }
    }

    void run(PromptReader reader, Completion[] answers) {
      for (int index : hopeless) {
        answers[index] = new Completion(new int[0], End.NO_ROOM);
      }
      if (rows.isEmpty()) {
        return;
      }
      List<Row> active = new ArrayList<>(rows);
      try (KeyValueCache cache = read(reader)) {
        int[] tokens = new int[0];
        while (!active.isEmpty()) {
          try (Logits logits =
              tokens.length == 0 ? decoder.next(cache) : decoder.step(cache, tokens)) {
            tokens = choose(logits, active);
          }
          List<Row> still = new ArrayList<>();
          List<Integer> places = new ArrayList<>();
          for (int i = 0; i < active.size(); i++) {
            if (active.get(i).accept(tokens[i])) {
              still.add(active.get(i));
              places.add(i);
            }
          }
          if (!still.isEmpty() && still.size() < active.size()) {
            cache.keep(places.stream().mapToInt(Integer::intValue).toArray());
            tokens = still.stream().mapToInt(Row::last).toArray();
          }
          active = still;
        }
      }
      for (Row row : rows) {
        answers[row.index] = new Completion(Arrays.copyOf(row.ids, row.count), row.end);
      }
    }

    private KeyValueCache read(PromptReader reader) {
      int reserve = rows.stream().mapToInt(r -> r.room).max().orElse(1);
      return reader.read(prompts.toArray(new int[0][]), reserve);
    }

    private int[] choose(Logits logits, List<Row> active) {
      if (sampling.temperature() == 0) {
        int[] best = logits.argmax();
        // NaN is the greatest of all to argmax, then infinity.
        float[] greatest = logits.at(best);
        for (int i = 0; i < best.length; i++) {
          best[i] = Float.isFinite(greatest[i]) ? best[i] : -1;
        }
        return best;
      }
      int[] drawn = new int[active.size()];
      for (int i = 0; i < drawn.length; i++) {
        drawn[i] = TokenChooser.draw(logits.line(i), sampling, active.get(i).random);
      }
      return drawn;
    }

    /** One answer that grows. */
    private final class Row {
      final int index;
      final int room;
      final SplitMix64 random;
      int[] ids = new int[16];
      int count;
      End end = End.LENGTH;

      Row(int index, int room, SplitMix64 random) {
        this.index = index;
        this.room = room;
        this.random = random;
      }

      int last() {
        return ids[count - 1];
      }

      /** Takes the next token. Returns whether to go on. */
      boolean accept(int token) {
        if (token < 0) {
          end = End.NOT_FINITE;
          return false;
        }
        if (stops.contains(token)) {
          end = End.STOPPED;
          return false;
        }
        if (count == ids.length) {
          ids = Arrays.copyOf(ids, 2 * count);
        }
        ids[count++] = token;
        return listener.test(token) && count < room;
      }
    }
  }
}
