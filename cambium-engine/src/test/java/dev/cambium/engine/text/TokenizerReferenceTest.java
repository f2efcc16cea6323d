package dev.cambium.engine.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Ids of texts that are hard on tokenizers, special tokens' names among them, against the reference
 * library; {@code src/test/python/reference_tokenizers.py} made them.
 */
class TokenizerReferenceTest {

  private static final Path SMOLLM2 = Path.of("../../shared/models/SmolLM2-135M-Instruct");

  private static Path folder() throws URISyntaxException {
    return Path.of(TokenizerReferenceTest.class.getResource("tokenizers").toURI());
  }

  @ParameterizedTest
  @ValueSource(strings = {"byte-level", "metaspace", "smollm2"})
  void encodesWhatPeopleWriteAsTheReferenceDoes(String name) throws Exception {
    Path directory = name.equals("smollm2") ? SMOLLM2 : folder().resolve(name);
    assumeTrue(Files.exists(directory), "skipped: no model at " + directory.toAbsolutePath());
    check(directory, name);
  }

  private static void check(Path directory, String name) throws IOException, URISyntaxException {
    JsonNode torture = ModelText.MAPPER.readTree(folder().resolve("torture.json").toFile());
    try (Tokenizer tokenizer = Tokenizer.load(directory)) {
      for (int i = 0; i < torture.path("texts").size(); i++) {
        String text = torture.path("texts").path(i).textValue();
        int[] expected =
            ModelText.MAPPER.convertValue(torture.path("ids").path(name).path(i), int[].class);
        assertThat(tokenizer.encodePlain(text)).as("text %d", i).containsExactly(expected);
      }
    }
  }
}
