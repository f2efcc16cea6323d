package dev.cambium.engine.generation;

import dev.cambium.engine.text.Tokenizer;
import java.util.Arrays;
import java.util.function.Consumer;

/**
 * Turns tokens into text as they come. A character whose bytes lie in several tokens is held back
 * until it is whole, so every piece is valid text, and the pieces together are the whole text.
 */
public final class TextStream {

  private static final char REPLACEMENT = '\ufffd';

  private final Tokenizer tokenizer;
  private final Consumer<String> listener;
  private int[] ids = new int[64];
  private int count;

  /** Ids before this are told, and so far back that they decode alone as they do within all. */
  private int contextStart;

  private int told;

  /**
   * A stream.
   *
   * @param listener hears each piece, never an empty one
   */
  public TextStream(Tokenizer tokenizer, Consumer<String> listener) {
    this.tokenizer = tokenizer;
    this.listener = listener;
  }

  /** Takes the next token. */
  public void add(int token) {
    if (count == ids.length) {
      ids = Arrays.copyOf(ids, 2 * count);
    }
    ids[count++] = token;
    String before = decode(contextStart, told);
    String now = decode(contextStart, count);
    if (now.length() > before.length() && now.charAt(now.length() - 1) != REPLACEMENT) {
      listener.accept(now.substring(before.length()));
      contextStart = told;
      told = count;
    }
  }

  /** Tells what was held back; bytes that never became a character as U+FFFD. */
  public void end() {
    String before = decode(contextStart, told);
    String now = decode(contextStart, count);
    if (now.length() > before.length()) {
      listener.accept(now.substring(before.length()));
    }
    contextStart = told;
    told = count;
  }

  private String decode(int from, int to) {
    return tokenizer.decode(Arrays.copyOfRange(ids, from, to));
  }
}
