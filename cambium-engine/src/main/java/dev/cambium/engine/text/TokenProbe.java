package dev.cambium.engine.text;

import java.util.List;

/**
 * A text with the ids that it must have. A model's probes are stored with it and compared wherever
 * it is used, since a tokenizer that changed makes a model worse without any error.
 *
 * @param text plain text, or a rendered conversation
 * @param ids its tokens
 */
public record TokenProbe(String text, List<Integer> ids) {
  public TokenProbe {
    ids = List.copyOf(ids);
  }
}
