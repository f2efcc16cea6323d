package dev.cambium.engine.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.cambium.model.Message;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The text side of a public model, where it is at hand. Expected ids: Python's transformers. */
class RealModelTextTest {

  private static final Path MODEL = Path.of("../../shared/models/SmolLM2-135M-Instruct");

  @Test
  void encodesConversationsAsTransformersDoes() throws IOException {
    assumeTrue(Files.exists(MODEL), "skipped: no model at " + MODEL.toAbsolutePath());
    try (RowEncoder encoder = RowEncoder.load(MODEL)) {
      assertThat(encoder.prompt(List.of(Message.user("Is 2 + 2 = 4?")), List.of()))
          .containsExactly(
              1, 9690, 198, 2683, 359, 253, 5356, 5646, 11173, 3365, 3511, 308, 34519, 28, 7018,
              411, 407, 19712, 8182, 2, 198, 1, 4093, 198, 4182, 216, 34, 1232, 216, 34, 446, 216,
              36, 47, 2, 198, 1, 520, 9531, 198);
      assertThat(encoder.tokenizer().stopIds()).containsExactly(2);
      assertThat(encoder.tokenizer().vocabularySize()).isEqualTo(49_152);
      encoder.checkTemplate(
          List.of(
              Message.user("a"),
              Message.assistant("b"),
              Message.user("c"),
              Message.assistant("d")));
    }
  }
}
