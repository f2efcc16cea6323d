package dev.cambium.engine.training;

import dev.cambium.engine.decoder.Decoder;
import java.util.List;

/**
 * What a step learns from, given the rows drawn for it: they themselves, or what the model makes of
 * them now, such as its own answers to their prompts.
 */
public interface Practice {

  /** The rows drawn. */
  Practice NONE =
      new Practice() {
        @Override
        public List<TokenRow> rows(int step, List<TokenRow> drawn, Decoder model) {
          return drawn;
        }

        @Override
        public String name() {
          return "none";
        }
      };

  /**
   * The rows of a step: a function of the step, what was drawn and the model's weights alone, so
   * that a resumed run does the same.
   *
   * @param step from 0
   * @param model as it is before the step, adapter and all
   * @return as many rows as drawn
   */
  List<TokenRow> rows(int step, List<TokenRow> drawn, Decoder model);

  /** With its settings, for messages and digests. */
  String name();
}
