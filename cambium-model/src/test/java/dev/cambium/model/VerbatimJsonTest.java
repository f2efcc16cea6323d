package dev.cambium.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class VerbatimJsonTest {

  private static final String TEXT =
      "{\"type\":\"function\",\"b\":1.0,\"a\":12345678901234567890,\"c\":{\"z\":null,\"y\":[]}}";

  @Test
  void keepsOrderAndNumbersThroughCanonicalJson() {
    Message turn =
        new Message(
            "assistant",
            "",
            List.of(new ToolCall(null, "rate", new VerbatimJson(TEXT))),
            null,
            null);
    Row row = new Row("r", null, List.of(turn), List.of(new VerbatimJson(TEXT)), Map.of());
    Row back = Json.read(Json.canonical(row), Row.class);
    assertThat(back).isEqualTo(row);
    assertThat(back.tools().get(0).tree()).hasToString(TEXT);
    assertThat(back.messages().get(0).toolCalls().get(0).arguments().tree()).hasToString(TEXT);
  }

  @Test
  void anApplicationsToolsMayBeWrittenAsObjects() {
    byte[] written =
        ("{\"max-new-tokens\":9,\"temperature\":0,\"tools\":[" + TEXT + "]}")
            .getBytes(StandardCharsets.UTF_8);
    Application read = Json.read(written, Application.class);
    assertThat(read.tools()).containsExactly(new VerbatimJson(TEXT));
    assertThat(Json.read(Json.canonical(read), Application.class)).isEqualTo(read);
  }

  @Test
  void turnsThatAreTextAreStoredAsBefore() {
    Row row = Row.qa("r", "q", "a", Map.of());
    assertThat(new String(Json.canonical(row), StandardCharsets.UTF_8))
        .isEqualTo(
            "{\"id\":\"r\",\"messages\":[{\"content\":\"q\",\"role\":\"user\"},"
                + "{\"content\":\"a\",\"role\":\"assistant\"}]}");
  }

  @Test
  void refusesWhatIsNoObject() {
    assertThatThrownBy(() -> new VerbatimJson("[1]")).hasMessageContaining("not a JSON object");
    assertThatThrownBy(() -> new VerbatimJson("{\"a\":")).hasMessageContaining("not JSON");
    assertThatThrownBy(() -> new VerbatimJson("{\"a\":1,\"a\":2}"))
        .hasMessageContaining("Duplicate field 'a'");
  }
}
