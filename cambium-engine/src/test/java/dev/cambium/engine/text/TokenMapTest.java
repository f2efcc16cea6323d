package dev.cambium.engine.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenMapTest {

  @TempDir Path dir;

  @Test
  void tokensAreTheSameByTheirTexts() {
    TokenMap map = TokenMap.of(Map.of("a", 0, "b", 1, "c", 2), Map.of("c", 0, "a", 1, "x", 3));
    assertThat(map.targets(new int[] {0, 1, 2, 9})).containsExactly(1, -1, 0, -1);
    assertThat(map.source(0)).isEqualTo(2);
    assertThat(map.source(2)).as("an id without a token").isEqualTo(-1);
    assertThat(map.source(3)).isEqualTo(-1);
    assertThat(map.common()).isEqualTo(2);
    assertThat(map.missing()).isEqualTo(1);
    assertThat(map.sameTokens()).isFalse();
    assertThat(map.isIdentity()).isFalse();
  }

  @Test
  void equalSizesDoNotMakeThemTheSame() {
    assertThat(TokenMap.of(Map.of("a", 0, "b", 1), Map.of("b", 0, "a", 1)).sameTokens()).isTrue();
    assertThat(TokenMap.of(Map.of("a", 0, "b", 1), Map.of("b", 0, "a", 1)).isIdentity()).isFalse();
    assertThat(TokenMap.of(Map.of("a", 0, "b", 1), Map.of("a", 0, "z", 1)).sameTokens()).isFalse();
    assertThat(TokenMap.of(Map.of("a", 0, "b", 1), Map.of("a", 0, "b", 1)).isIdentity()).isTrue();
  }

  @Test
  void spellingsOfASpaceAreOne() throws IOException {
    Path bytes = Files.createDirectories(dir.resolve("bytes"));
    Files.writeString(
        bytes.resolve("tokenizer.json"),
        "{\"added_tokens\": [{\"content\": \"<|end|>\", \"id\": 2}],"
            + " \"model\": {\"vocab\": {\"Ġthe\": 0, \"x\": 1}}}");
    Path pieces = Files.createDirectories(dir.resolve("pieces"));
    Files.writeString(
        pieces.resolve("tokenizer.json"),
        "{\"added_tokens\": [{\"content\": \"<|end|>\", \"id\": 0}],"
            + " \"model\": {\"vocab\": [[\"<|end|>\", 0], [\"x\", -1], [\"▁the\", -2]]}}");
    TokenMap map = TokenMap.between(bytes, pieces);
    assertThat(map.targets(new int[] {0, 1, 2})).containsExactly(2, 1, 0);
    assertThat(map.sameTokens()).isTrue();
  }
}
