package dev.cambium.engine.generation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cambium.engine.text.BpeTrainer;
import dev.cambium.engine.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TextStreamTest {

  @Test
  void piecesAreWholeCharactersAndTogetherTheText(@TempDir Path dir) throws IOException {
    // Untrained: every byte is a token, so most of these characters span several.
    new BpeTrainer().add("ab").train(BpeTrainer.SMALLEST, dir);
    String text = "Grüße, 東京 😀!\n";
    try (Tokenizer tokenizer = Tokenizer.load(dir)) {
      List<String> pieces = new ArrayList<>();
      TextStream stream = new TextStream(tokenizer, pieces::add);
      int[] ids = tokenizer.encodePlain(text);
      assertThat(ids.length).isGreaterThan(text.length());
      Arrays.stream(ids).forEach(stream::add);
      stream.end();
      assertThat(String.join("", pieces)).isEqualTo(text);
      assertThat(pieces).doesNotContain("").noneMatch(p -> p.contains("\ufffd")).contains("😀");

      pieces.clear();
      TextStream cut = new TextStream(tokenizer, pieces::add);
      int[] half = tokenizer.encodePlain("a😀");
      for (int i = 0; i < half.length - 1; i++) {
        cut.add(half[i]);
      }
      assertThat(pieces).containsExactly("a");
      cut.end();
      assertThat(pieces).hasSize(2);
      assertThat(pieces.get(1)).matches("\ufffd+");
    }
  }
}
