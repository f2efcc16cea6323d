package dev.cambium.engine;

import dev.cambium.artifact.huggingface.DecoderConfig;
import dev.cambium.engine.decoder.Decoder;
import dev.cambium.engine.decoder.Precision;
import dev.cambium.engine.text.BpeTrainer;
import dev.cambium.engine.text.ProbeFile;
import dev.cambium.engine.text.RowEncoder;
import dev.cambium.engine.text.Tokenizer;
import dev.cambium.model.Row;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Makes a fresh foundation: a tokenizer learnt from text, or taken from another model, and random
 * weights. What comes next is ordinary training on rows of text.
 */
public final class ModelInitializer {

  /**
   * The shape of a model.
   *
   * @param layers number of layers
   * @param hiddenSize width of the residual stream; a multiple of {@code 2 · heads}
   * @param heads query heads
   * @param keyValueHeads key and value heads; divides {@code heads}
   * @param intermediateSize width of the SwiGLU unit
   * @param vocabularySize the largest vocabulary that a tokenizer is learnt with
   * @param maxPositions the longest context
   */
  public record Shape(
      int layers,
      int hiddenSize,
      int heads,
      int keyValueHeads,
      int intermediateSize,
      int vocabularySize,
      int maxPositions) {

    /** Four layers of width 128: about 1.2 million weights with a vocabulary of 1,024. */
    public static final Shape SMALL = new Shape(4, 128, 4, 2, 352, 1_024, 256);
  }

  private ModelInitializer() {}

  /**
   * Learns a tokenizer from rows, and writes a model directory.
   *
   * @return number of weights
   */
  public static long initialize(List<Row> rows, Shape shape, long seed, Path out) {
    try {
      BpeTrainer trainer = new BpeTrainer();
      rows.forEach(trainer::add);
      trainer.train(shape.vocabularySize(), out);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + out, e);
    }
    return weights(shape, seed, out);
  }

  /**
   * Takes the tokenizer, the template and the generation settings of a model, and writes a model
   * directory with fresh weights; the shape's vocabulary size is then the tokenizer's.
   *
   * @return number of weights
   */
  public static long initialize(Path tokenizerOf, Shape shape, long seed, Path out) {
    Engine.copyText(tokenizerOf, out);
    try {
      // The new model may end its turns otherwise; its own probes are made when it comes in.
      Files.deleteIfExists(out.resolve(ProbeFile.NAME));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + out, e);
    }
    return weights(shape, seed, out);
  }

  private static long weights(Shape shape, long seed, Path out) {
    try (RowEncoder encoder = LanguageModel.encoder(out, null)) {
      Tokenizer tokenizer = encoder.tokenizer();
      DecoderConfig.Builder config =
          DecoderConfig.builder()
              .layers(shape.layers())
              .hiddenSize(shape.hiddenSize())
              .heads(shape.heads())
              .keyValueHeads(shape.keyValueHeads())
              .intermediateSize(shape.intermediateSize())
              .vocabularySize(tokenizer.vocabularySize())
              .maxPositions(shape.maxPositions());
      tokenizer.bos().ifPresent(id -> config.other("bos_token_id", id.toString()));
      tokenizer.eos().ifPresent(id -> config.other("eos_token_id", id.toString()));
      try (Decoder decoder = Decoder.random(config.build(), seed)) {
        decoder.save(out, Precision.F32);
        Path generation = out.resolve("generation_config.json");
        if (tokenizer.eos().isPresent() && !Files.exists(generation)) {
          Files.writeString(
              generation, "{\n  \"eos_token_id\": " + tokenizer.eos().get() + "\n}\n");
        }
        return decoder.parameters();
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + out, e);
    }
  }
}
