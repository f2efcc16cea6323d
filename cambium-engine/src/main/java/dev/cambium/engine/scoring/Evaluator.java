package dev.cambium.engine.scoring;

import dev.cambium.engine.decoder.Decoder;
import dev.cambium.engine.decoder.KeyValueCache;
import dev.cambium.engine.generation.CacheBudget;
import dev.cambium.engine.generation.Completion;
import dev.cambium.engine.generation.Generator;
import dev.cambium.engine.generation.PromptReader;
import dev.cambium.engine.generation.Sampling;
import dev.cambium.engine.text.Encoded;
import dev.cambium.engine.text.Framing;
import dev.cambium.engine.text.RowEncoder;
import dev.cambium.engine.text.TemplateException;
import dev.cambium.model.Item;
import dev.cambium.model.Judgement;
import dev.cambium.model.Message;
import dev.cambium.model.Outcome;
import dev.cambium.model.Progress;
import dev.cambium.model.Scorer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Scores a model on items.
 *
 * <p>An item that cannot be scored (no answer to compare with, a prompt that the template refuses
 * or that does not fit, a computation that is not finite, an empty answer) is undecidable, its
 * output says why in brackets, and the others are scored all the same.
 */
public final class Evaluator {

  private static final int MAX_OUTPUT = 2_000;
  private static final int ROWS_AT_ONCE = 32;
  private static final int TOKENS_AT_ONCE = 8_192;

  /** Tokens of one item's choices that are read at once: attention is quadratic in them. */
  private static final int BRANCH_TOKENS = 1_024;

  private final Decoder decoder;
  private final RowEncoder encoder;
  private final Framing framing;

  /** An evaluator of a decoder, which has its adapter attached, if any. */
  public Evaluator(Decoder decoder, RowEncoder encoder, Framing framing) {
    this.decoder = decoder;
    this.encoder = encoder;
    this.framing = framing;
  }

  /**
   * Scores items.
   *
   * @return outcomes in the order of the items
   * @throws IllegalArgumentException if the scorer itself cannot be used
   */
  public List<Outcome> evaluate(List<Item> items, Scorer scorer, Progress progress) {
    Run run = new Run(items, progress);
    switch (scorer.kind()) {
      case EXACT_MATCH, NUMERIC, JSON -> run.generate(AnswerJudge.of(scorer), scorer);
      case CHOICE -> run.choose();
      case LIKELIHOOD -> run.likelihood(false);
      case BYTE_LIKELIHOOD -> run.likelihood(true);
    }
    return run.outcomes();
  }

  /** Why an item cannot be scored. */
  private static final class Undecidable extends Exception {
    private static final long serialVersionUID = 1L;

    Undecidable(String why) {
      super(why);
    }
  }

  /** Encodes something of an item. */
  private interface Encoding<T> {
    T of(Item item) throws Undecidable;
  }

  private int context() {
    return decoder.config().contextLength();
  }

  private int[] prompt(Item item) throws Undecidable {
    if (item.messages().isEmpty()) {
      throw new Undecidable("no messages, but this scorer needs an answer to judge");
    }
    int[] prompt = encoder.prompt(framing.messages(item.messages()), framing.tools());
    if (prompt.length >= context()) {
      throw new Undecidable(
          "the prompt has " + prompt.length + " tokens, the model's context " + context());
    }
    return prompt;
  }

  /** The ids that answer a prompt, with the end of the turn. */
  private int[] continuation(Item item, String answer, int[] prompt) throws Undecidable {
    List<Message> messages = new ArrayList<>(framing.messages(item.messages()));
    messages.add(Message.assistant(answer));
    Encoded whole = encoder.conversation(messages, framing.tools(), Integer.MAX_VALUE);
    if (whole.ids().length > context()) {
      throw new Undecidable(
          "prompt and answer have "
              + whole.ids().length
              + " tokens, the model's context "
              + context());
    }
    return Arrays.copyOfRange(whole.ids(), prompt.length, whole.ids().length);
  }

  private static float sum(float[] logProbabilities) {
    float sum = 0;
    for (float one : logProbabilities) {
      sum += one;
    }
    return sum;
  }

  /** One evaluation. */
  private final class Run {
    private final List<Item> items;
    private final Progress progress;
    private final @Nullable Outcome[] outcomes;
    private int done;
    private int told;

    Run(List<Item> items, Progress progress) {
      this.items = items;
      this.progress = progress;
      this.outcomes = new Outcome[items.size()];
      progress.at("evaluate", 0, items.size(), "");
    }

    List<Outcome> outcomes() {
      List<Outcome> all = new ArrayList<>();
      for (int i = 0; i < outcomes.length; i++) {
        Outcome outcome = outcomes[i];
        if (outcome == null) {
          throw new IllegalStateException("item " + items.get(i).id() + " was not scored");
        }
        all.add(outcome);
      }
      return all;
    }

    private void put(int index, Judgement judgement, double score, String output) {
      if (outcomes[index] == null) {
        done++;
      }
      int end = Math.min(output.length(), MAX_OUTPUT);
      if (end < output.length() && Character.isHighSurrogate(output.charAt(end - 1))) {
        end--;
      }
      outcomes[index] =
          new Outcome(items.get(index).id(), judgement, score, output.substring(0, end));
      tell(done);
    }

    /** Never goes back: answers are first generated, then judged. */
    private void tell(int items) {
      told = Math.max(told, items);
      progress.at("evaluate", told, this.items.size(), "");
    }

    private void undecidable(int index, String why) {
      put(index, Judgement.UNDECIDABLE, 0, "[" + why + "]");
    }

    /** Encodes all items; those that cannot be are undecidable. Returns the indices of the rest. */
    private <T> List<Integer> encode(Encoding<T> encoding, @Nullable T[] into) {
      List<Integer> usable = new ArrayList<>();
      for (int i = 0; i < items.size(); i++) {
        try {
          into[i] = encoding.of(items.get(i));
          usable.add(i);
        } catch (Undecidable | TemplateException | IllegalArgumentException e) {
          undecidable(i, String.valueOf(e.getMessage()));
        }
      }
      return usable;
    }

    void generate(AnswerJudge judge, Scorer scorer) {
      int[][] prompts = new int[items.size()][];
      List<Integer> usable = encode(Evaluator.this::prompt, prompts);
      Sampling sampling = Sampling.greedy(framing.maxNewTokens(scorer.maxNewTokens()));
      Generator generator = new Generator(decoder, encoder.tokenizer().stopIds());
      int before = done;
      List<Completion> answers =
          generator.generate(
              usable.stream().map(i -> prompts[i]).toList(),
              sampling,
              finished -> tell(before + finished));
      for (int i = 0; i < usable.size(); i++) {
        Completion answer = answers.get(i);
        String output = encoder.tokenizer().decode(answer.ids());
        if (answer.end() == Completion.End.NOT_FINITE) {
          undecidable(usable.get(i), "the model's output is not finite");
        } else if (!answer.usable()) {
          undecidable(usable.get(i), "no room for an answer in the model's context");
        } else if (output.isBlank()) {
          undecidable(usable.get(i), "empty answer");
        } else {
          Judgement judgement = judge.judge(items.get(usable.get(i)), output);
          put(usable.get(i), judgement, judgement == Judgement.RIGHT ? 1 : 0, output);
        }
      }
    }

    void choose() {
      int[][] prompts = new int[items.size()][];
      List<Integer> usable =
          encode(
              item -> {
                if (item.choices().size() < 2) {
                  throw new Undecidable("fewer than two choices");
                }
                return prompt(item);
              },
              prompts);
      int[][][] continuations = new int[items.size()][][];
      int[] widths = new int[items.size()];
      List<Integer> scorable = new ArrayList<>();
      for (int index : usable) {
        try {
          continuations[index] = continuations(items.get(index), prompts[index]);
          int tokens = Arrays.stream(continuations[index]).mapToInt(c -> c.length).sum();
          widths[index] = prompts[index].length + Math.min(tokens, BRANCH_TOKENS);
          scorable.add(index);
        } catch (Undecidable | TemplateException | IllegalArgumentException e) {
          undecidable(index, String.valueOf(e.getMessage()));
        }
      }
      scorable.sort(Comparator.comparingInt(i -> widths[i]));
      try (PromptReader reader =
          new PromptReader(decoder, scorable.stream().map(i -> prompts[i]).toList())) {
        for (List<Integer> batch : batches(scorable, i -> widths[i])) {
          int[][] rows = batch.stream().map(i -> prompts[i]).toArray(int[][]::new);
          try (KeyValueCache cache = reader.read(rows, 0)) {
            int[][][] all = batch.stream().map(i -> continuations[i]).toArray(int[][][]::new);
            float[][] scores = scores(cache, all);
            for (int row = 0; row < rows.length; row++) {
              chosen(batch.get(row), scores[row]);
            }
          }
        }
      }
    }

    private int[][] continuations(Item item, int[] prompt) throws Undecidable {
      int[][] continuations = new int[item.choices().size()][];
      for (int i = 0; i < continuations.length; i++) {
        continuations[i] = continuation(item, item.choices().get(i), prompt);
      }
      return continuations;
    }

    /** Log-likelihoods of every row's continuations; so many at once as attention has room for. */
    private float[][] scores(KeyValueCache cache, int[][][] continuations) {
      float[][] scores = new float[continuations.length][];
      int[] done = new int[continuations.length];
      for (int row = 0; row < scores.length; row++) {
        scores[row] = new float[continuations[row].length];
      }
      while (!Arrays.equals(done, Arrays.stream(scores).mapToInt(s -> s.length).toArray())) {
        int[][][] part = new int[continuations.length][][];
        for (int row = 0; row < part.length; row++) {
          int to = done[row];
          int tokens = 0;
          while (to < scores[row].length
              && (to == done[row] || tokens + continuations[row][to].length <= BRANCH_TOKENS)) {
            tokens += continuations[row][to++].length;
          }
          part[row] = Arrays.copyOfRange(continuations[row], done[row], to);
        }
        float[][][] measured = decoder.continuationLogProbabilities(cache, part);
        for (int row = 0; row < part.length; row++) {
          for (float[] one : measured[row]) {
            scores[row][done[row]++] = sum(one);
          }
        }
      }
      return scores;
    }

    private void chosen(int index, float[] scores) {
      Item item = items.get(index);
      int best = Choices.best(scores);
      if (best < 0) {
        undecidable(index, "no choice is likelier than all others, or the output is not finite");
      } else {
        boolean right = item.choices().get(best).equals(item.answer());
        put(index, AnswerJudge.of(right), right ? 1 : 0, item.choices().get(best));
      }
    }

    /**
     * @param byBytes whether the mean is over bytes, not over tokens
     */
    void likelihood(boolean byBytes) {
      Encoded[] texts = new Encoded[items.size()];
      int[] from = new int[items.size()];
      List<Integer> usable =
          encode(
              item -> {
                String text = item.text();
                if (text != null) {
                  return encoder.text(text, context());
                }
                String answer = item.answer();
                if (answer == null) {
                  throw new Undecidable("no answer whose probability could be measured");
                }
                int[] prompt = prompt(item);
                int[] rest = continuation(item, answer, prompt);
                int[] all = Arrays.copyOf(prompt, prompt.length + rest.length);
                System.arraycopy(rest, 0, all, prompt.length, rest.length);
                boolean[] supervised = new boolean[all.length];
                Arrays.fill(supervised, prompt.length, all.length, true);
                return new Encoded(all, supervised, false);
              },
              texts);
      int[][] rows = new int[items.size()][];
      List<Integer> scorable = new ArrayList<>();
      for (int index : usable) {
        Encoded text = texts[index];
        rows[index] = text.ids();
        from[index] =
            IntStream.range(0, text.ids().length)
                .filter(i -> text.supervised()[i])
                .findFirst()
                .orElse(-1);
        if (from[index] < 1) {
          undecidable(index, "nothing to measure");
        } else {
          scorable.add(index);
        }
      }
      scorable.sort(Comparator.comparingInt(i -> rows[i].length));
      for (List<Integer> batch : batches(scorable, i -> rows[i].length)) {
        float[][] scores =
            decoder.logProbabilities(
                batch.stream().map(i -> rows[i]).toArray(int[][]::new),
                batch.stream().mapToInt(i -> from[i]).toArray());
        for (int i = 0; i < scores.length; i++) {
          int index = batch.get(i);
          if (byBytes) {
            measured(index, scores[i], bytes(items.get(index), rows[index], from[index]), "byte");
          } else {
            measured(index, scores[i], scores[i].length, "token");
          }
        }
      }
    }

    /** Of what was measured of an item. */
    private int bytes(Item item, int[] row, int from) {
      String answer = item.answer();
      if (item.text() == null && answer != null) {
        return utf8(answer) + 1;
      }
      // The first token is given; how much of the text that is depends on the tokenizer.
      String all = encoder.tokenizer().decode(row);
      String given = encoder.tokenizer().decode(Arrays.copyOf(row, from));
      return Math.max(1, utf8(all) - utf8(given));
    }

    private static int utf8(String text) {
      return text.getBytes(StandardCharsets.UTF_8).length;
    }

    private void measured(int index, float[] logProbabilities, int units, String unit) {
      double total = 0;
      for (float one : logProbabilities) {
        total += one;
      }
      double probability = Math.min(1, Math.exp(total / units));
      if (Double.isNaN(probability)) {
        undecidable(index, "the model's output is not finite");
      } else {
        String note = String.format(Locale.ROOT, "%.3f nats a %s", -total / units, unit);
        put(index, AnswerJudge.of(probability >= 0.5), probability, note);
      }
    }

    private List<List<Integer>> batches(List<Integer> sorted, IntUnaryOperator width) {
      List<List<Integer>> batches = new ArrayList<>();
      List<Integer> batch = new ArrayList<>();
      for (int index : sorted) {
        long tokens = (batch.size() + 1L) * width.applyAsInt(index);
        int most = CacheBudget.rows(decoder.config(), width.applyAsInt(index), ROWS_AT_ONCE);
        if (batch.size() >= most || (!batch.isEmpty() && tokens > TOKENS_AT_ONCE)) {
          batches.add(batch);
          batch = new ArrayList<>();
        }
        batch.add(index);
      }
      if (!batch.isEmpty()) {
        batches.add(batch);
      }
      return batches;
    }
  }
}
