package dev.cambium.engine;

import dev.cambium.artifact.huggingface.DecoderConfig;
import dev.cambium.engine.backend.Memory;
import dev.cambium.engine.decoder.Decoder;
import dev.cambium.engine.decoder.Logits;
import dev.cambium.engine.decoder.LoraAdapter;
import dev.cambium.engine.generation.Completion;
import dev.cambium.engine.generation.Generator;
import dev.cambium.engine.generation.Sampling;
import dev.cambium.engine.generation.TextStream;
import dev.cambium.engine.scoring.Evaluator;
import dev.cambium.engine.scoring.OwnAnswers;
import dev.cambium.engine.text.Framing;
import dev.cambium.engine.text.RowEncoder;
import dev.cambium.engine.text.TokenProbe;
import dev.cambium.model.Application;
import dev.cambium.model.Item;
import dev.cambium.model.Message;
import dev.cambium.model.Outcome;
import dev.cambium.model.Progress;
import dev.cambium.model.Row;
import dev.cambium.model.Scorer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A model that is loaded: its weights, perhaps an adapter on them, perhaps an application around
 * it. One thread at a time. Holds native memory: close it.
 */
public final class LanguageModel implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(LanguageModel.class);

  private static final String PROBE = "The quick brown fox, 1 2 3: is it?";

  private final Decoder decoder;
  private final @Nullable LoraAdapter adapter;
  private final RowEncoder encoder;
  private Framing framing;

  private LanguageModel(
      Decoder decoder, @Nullable LoraAdapter adapter, RowEncoder encoder, Framing framing) {
    this.decoder = decoder;
    this.adapter = adapter;
    this.encoder = encoder;
    this.framing = framing;
  }

  static LanguageModel load(
      Path model, @Nullable Path adapterDirectory, @Nullable Application application) {
    // The tokenizer is parsed while the weights are read: neither needs the other.
    CompletableFuture<RowEncoder> reading =
        CompletableFuture.supplyAsync(() -> encoder(model, adapterDirectory));
    @Nullable Decoder decoder = null;
    @Nullable LoraAdapter adapter = null;
    try {
      decoder = Decoder.load(model);
      RowEncoder encoder = read(reading);
      if (adapterDirectory != null) {
        adapter = LoraAdapter.load(adapterDirectory, decoder.config());
        attachProbed(decoder, adapter, adapterDirectory, encoder);
      }
      checkVocabulary(
          adapterDirectory == null ? model : adapterDirectory, encoder, decoder.config());
      return new LanguageModel(
          decoder, adapter, encoder, new Framing(Optional.ofNullable(application)));
    } catch (RuntimeException e) {
      if (decoder != null) {
        decoder.detach();
        decoder.close();
      }
      if (adapter != null) {
        adapter.close();
      }
      closeWhenRead(reading);
      throw e;
    }
  }

  private static RowEncoder read(CompletableFuture<RowEncoder> reading) {
    try {
      return reading.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw e;
    }
  }

  private static void closeWhenRead(CompletableFuture<RowEncoder> reading) {
    try {
      reading.join().close();
    } catch (CompletionException e) {
      log.debug("no tokenizer to close", e);
    }
  }

  static RowEncoder encoder(Path model, @Nullable Path adapter) {
    try {
      return adapter == null ? RowEncoder.load(model) : RowEncoder.load(model, adapter);
    } catch (IOException e) {
      throw new UncheckedIOException(e.getMessage(), e);
    }
  }

  static void checkVocabulary(Path model, RowEncoder encoder, DecoderConfig config) {
    int tokens = encoder.tokenizer().vocabularySize();
    if (tokens > config.vocabularySize()) {
      throw new IllegalArgumentException(
          model
              + ": the tokenizer has "
              + tokens
              + " tokens, the model's embedding only "
              + config.vocabularySize()
              + " rows: they do not belong together");
    }
  }

  /** An adapter that is loaded but does nothing would pass every gate its base passes. */
  private static void attachProbed(
      Decoder decoder, LoraAdapter adapter, Path directory, RowEncoder encoder) {
    int[] ids = encoder.tokenizer().encodeDocument(PROBE);
    float[] base = lastLogits(decoder, ids);
    decoder.attach(adapter);
    float[] adapted = lastLogits(decoder, ids);
    double difference = 0;
    for (int i = 0; i < base.length; i++) {
      double one = Math.abs((double) adapted[i] - base[i]);
      difference = Double.isNaN(one) ? Double.NaN : Math.max(difference, one);
    }
    if (!(difference > 0)) {
      decoder.detach();
      throw new IllegalArgumentException(
          directory
              + (Double.isNaN(difference)
                  ? ": the adapter's logits are not finite"
                  : ": the adapter does not change the logits of its base; it is empty, or its"
                      + " update is zero"));
    }
  }

  private static float[] lastLogits(Decoder decoder, int[] ids) {
    try (Logits logits = decoder.logits(new int[][] {ids}, new int[][] {{ids.length - 1}})) {
      return logits.line(0);
    }
  }

  /** Puts another application, or none, around the model; nothing is loaded again. */
  public void frame(@Nullable Application application) {
    framing = new Framing(Optional.ofNullable(application));
  }

  /**
   * Scores the model on items; see {@link Evaluator}.
   *
   * @return outcomes in the order of the items
   */
  public List<Outcome> evaluate(List<Item> items, Scorer scorer, Progress progress) {
    return new Evaluator(decoder, encoder, framing).evaluate(items, scorer, progress);
  }

  /**
   * What the model answers itself to the questions of rows, where a scorer finds it right; see
   * {@link OwnAnswers}.
   *
   * @param temperature of the draws; 0 takes the likeliest token always
   * @throws IllegalArgumentException if the scorer judges no generated answers
   */
  public List<Row> answers(
      List<Row> rows, Scorer scorer, double temperature, long seed, Progress progress) {
    Sampling sampling =
        new Sampling(framing.maxNewTokens(scorer.maxNewTokens()), temperature, 0, 1, seed);
    return new OwnAnswers(decoder, encoder, framing).right(rows, scorer, sampling, progress);
  }

  /** How the application has its answers chosen; greedy and of the usual length without one. */
  public Sampling sampling(long seed) {
    Application application =
        framing
            .application()
            .orElse(new Application(null, null, List.of(), Scorer.DEFAULT_MAX_NEW_TOKENS, 0));
    return new Sampling(application.maxNewTokens(), application.temperature(), 0, 1, seed);
  }

  /**
   * Answers the last turn of a conversation.
   *
   * @param pieces hears the answer as it is made, in pieces of whole characters
   * @return the whole answer
   * @throws IllegalArgumentException if the conversation leaves no room in the model's context
   * @throws IllegalStateException if the model computes something that is not a number
   */
  public String chat(List<Message> conversation, Sampling sampling, Consumer<String> pieces) {
    int[] prompt = encoder.prompt(framing.messages(conversation), framing.tools());
    return complete(prompt, sampling, pieces);
  }

  /** Continues a plain text; for models without a chat template. See {@link #chat}. */
  public String complete(String text, Sampling sampling, Consumer<String> pieces) {
    return complete(encoder.tokenizer().encodeDocument(text), sampling, pieces);
  }

  private String complete(int[] prompt, Sampling sampling, Consumer<String> pieces) {
    if (prompt.length == 0) {
      throw new IllegalArgumentException("nothing to answer: the prompt has no tokens");
    }
    StringBuilder whole = new StringBuilder();
    TextStream text =
        new TextStream(
            encoder.tokenizer(),
            piece -> {
              whole.append(piece);
              pieces.accept(piece);
            });
    Completion answer =
        new Generator(decoder, encoder.tokenizer().stopIds())
            .stream(
                prompt,
                sampling,
                token -> {
                  text.add(token);
                  return true;
                });
    text.end();
    switch (answer.end()) {
      case NO_ROOM ->
          throw new IllegalArgumentException(
              "the conversation has "
                  + prompt.length
                  + " tokens, the model's context "
                  + decoder.config().contextLength());
      case NOT_FINITE -> throw new IllegalStateException("the model's output is not finite");
      case STOPPED, LENGTH -> {}
    }
    return whole.toString();
  }

  /**
   * Questions that the model would expect, drawn from itself, with its likeliest answers; texts
   * where it has no chat template. Blank ones are left out.
   */
  List<Row> questions(int count, int maxTokens, long seed, Progress progress) {
    Generator generator = new Generator(decoder, encoder.tokenizer().stopIds());
    int[] begin = hasTemplate() ? beforeQuestions() : encoder.tokenizer().encodeDocument("");
    if (begin.length == 0) {
      begin = new int[] {encoder.tokenizer().bos().or(encoder.tokenizer()::eos).orElse(0)};
    }
    List<String> texts = new ArrayList<>();
    Sampling drawn = new Sampling(maxTokens, 1, 0, 1, seed);
    for (Completion one :
        generator.generate(
            Collections.nCopies(count, begin),
            drawn,
            done -> progress.at("make up questions", done, count, ""))) {
      String text = encoder.tokenizer().decode(one.ids()).strip();
      if (one.usable() && !text.isBlank()) {
        texts.add(text);
      }
    }
    if (!hasTemplate()) {
      return IntStream.range(0, texts.size())
          .mapToObj(i -> Row.text("made-up-" + i, texts.get(i)))
          .toList();
    }
    List<int[]> prompts =
        texts.stream().map(t -> encoder.prompt(List.of(Message.user(t)), List.of())).toList();
    List<Completion> answers =
        generator.generate(
            prompts,
            Sampling.greedy(maxTokens),
            done -> progress.at("answer them", done, prompts.size(), ""));
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < answers.size(); i++) {
      String answer = encoder.tokenizer().decode(answers.get(i).ids());
      if (answers.get(i).usable() && !answer.isBlank()) {
        rows.add(Row.qa("made-up-" + i, texts.get(i), answer, Map.of()));
      }
    }
    return rows;
  }

  /** What all prompts begin with, up to where a user's words begin. */
  private int[] beforeQuestions() {
    int[] one = encoder.prompt(List.of(Message.user("a")), List.of());
    int[] other = encoder.prompt(List.of(Message.user("7")), List.of());
    int same = 0;
    while (same < Math.min(one.length, other.length) && one[same] == other[same]) {
      same++;
    }
    return Arrays.copyOf(one, same);
  }

  /** Whether it takes conversations, and not plain text only. */
  public boolean hasTemplate() {
    return encoder.hasTemplate();
  }

  /** Texts with their token ids, to be stored with the model. */
  public List<TokenProbe> probes() {
    return encoder.probes();
  }

  /**
   * Compares the tokenizer and the template with what was stored.
   *
   * @throws IllegalStateException if they are not the same
   */
  public void checkProbes(List<TokenProbe> stored) {
    encoder.checkProbes(stored);
  }

  /** Number of weights, without the adapter. */
  public long parameters() {
    return decoder.parameters();
  }

  @Override
  public void close() {
    decoder.detach();
    decoder.close();
    if (adapter != null) {
      adapter.close();
    }
    encoder.close();
    Memory.giveBack();
  }
}
