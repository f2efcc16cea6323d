package dev.cambium.report.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cambium.loop.explain.LineHistory;
import dev.cambium.loop.gate.Verdict;
import dev.cambium.loop.governor.Choice;
import dev.cambium.loop.governor.Mode;
import dev.cambium.loop.governor.Readings;
import dev.cambium.loop.headroom.Headroom;
import dev.cambium.model.Decision;
import dev.cambium.model.Digest;
import dev.cambium.model.Telemetry;
import dev.cambium.model.VersionRef;
import java.io.StringReader;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.w3c.dom.Document;
import org.xml.sax.InputSource;

class HeadroomPageTest {

  private static final int LOOKS = 13;

  /** A line whose headroom wears off, some of its versions not measured and some not released. */
  static LineHistory history(int count) {
    SplittableRandom random = new SplittableRandom(count);
    List<LineHistory.OfVersion> versions = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      double point = 1.05 - 0.3 * i / 200 + 0.05 * random.nextGaussian();
      boolean measured = i == 0 || i % 7 != 3;
      Verdict.OfHeadroom headroom =
          measured ? Verdict.OfHeadroom.of(0.9, headroom(point, i % 5 == 4)) : null;
      Map<String, LineHistory.Score> scores = new LinkedHashMap<>();
      for (String capability : List.of("card-intents", "card-rules")) {
        double score = Math.min(1, 0.9 + 0.03 * random.nextGaussian());
        scores.put(
            capability, new LineHistory.Score(score, score - 0.06, Math.min(1, score + 0.04)));
      }
      if (i > 2) {
        scores.put("card-calls", new LineHistory.Score(0.8, 0.7, 0.9));
      }
      versions.add(
          new LineHistory.OfVersion(
              new VersionRef("cards", i + 1),
              Instant.ofEpochSecond(1_700_000_000L + 86_400L * i),
              headroom == null || headroom.decision() == Decision.PASS,
              headroom == null ? Decision.FAIL : headroom.decision(),
              headroom,
              scores,
              i % 9 == 5 ? null : telemetry(i),
              i % 4 == 3
                  ? null
                  : new Choice(
                      Mode.values()[i % Mode.values().length],
                      Mode.PLAIN,
                      null,
                      List.of("because of " + i),
                      Readings.NONE,
                      null)));
    }
    return new LineHistory("cards", versions);
  }

  private static Telemetry.Point telemetry(int version) {
    return new Telemetry.Point(
        100,
        new Telemetry.Ranks(60 - version / 10.0, 20, 80),
        new Telemetry.Ranks(40 - version / 8.0, 5, 80),
        0.02 + version / 2000.0,
        12,
        0.7);
  }

  private static Headroom headroom(double point, boolean diverged) {
    List<Headroom.Curve> curves = new ArrayList<>();
    for (String kind : List.of("associations", "rule", "format")) {
      List<Double> version = new ArrayList<>();
      List<Double> foundation = new ArrayList<>();
      for (int look = 0; look < (diverged ? 4 : LOOKS); look++) {
        version.add(9 * Math.exp(-look * point / 5));
      }
      for (int look = 0; look < LOOKS; look++) {
        foundation.add(9 * Math.exp(-look / 5.0));
      }
      curves.add(new Headroom.Curve(kind, 2, version, foundation));
    }
    return new Headroom(
        new VersionRef("base", 1),
        new Headroom.Ratio(point, point - 0.08, point + 0.09),
        diverged ? null : new Headroom.Ratio(point + 0.02, point - 0.04, point + 0.08),
        0.9,
        9,
        27,
        24,
        3,
        1,
        diverged ? 2 : 0,
        0,
        true,
        2.4,
        2.3,
        61.0,
        Digest.ofText("probe"),
        Digest.ofText("reference"),
        Digest.ofText("tasks"),
        curves);
  }

  private static Document parse(String html) throws Exception {
    return DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(new InputSource(new StringReader(html)));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 30, 200})
  void aLineOfAnyLengthHasItsPage(int count) throws Exception {
    LineHistory history = history(count);
    String html = HeadroomPage.of(history).html();
    String text = parse(html).getDocumentElement().getTextContent();
    assertThat(text)
        .contains(
            "How well cards still learns",
            "What it can do",
            "Inside",
            "How it was updated",
            "floor 0.90",
            "of the update")
        .contains("associations: mean loss", "cards@" + count)
        .contains(count == 1 ? "1 version of cards" : count + " versions of cards");
    assertThat(html).doesNotContain("NaN").doesNotContain("Infinity").doesNotContain("<script");
    long measured = history.versions().stream().filter(v -> v.measured().isPresent()).count();
    long area =
        history.versions().stream()
            .filter(v -> v.measured().map(Headroom::area).isPresent())
            .count();
    assertThat(html.split(">headroom, version ", -1).length - 1).isEqualTo((int) measured);
    assertThat(html.split(">area, version ", -1).length - 1).isEqualTo((int) area);
    assertThat(html.split(">dormant units, version ", -1).length - 1)
        .isEqualTo((int) history.versions().stream().filter(v -> v.telemetry() != null).count());
    assertThat(html.split(">mode, version ", -1).length - 1)
        .isEqualTo((int) history.versions().stream().filter(v -> v.update() != null).count());
    assertThat(html.split(">card-calls, version ", -1).length - 1)
        .isEqualTo(Math.max(0, count - 3));
  }

  @Test
  void whatWasNotMeasuredIsLeftOut() throws Exception {
    LineHistory bare =
        new LineHistory(
            "base",
            List.of(
                new LineHistory.OfVersion(
                    new VersionRef("base", 1),
                    Instant.EPOCH,
                    true,
                    null,
                    null,
                    Map.of(),
                    null,
                    null)));
    String html = HeadroomPage.of(bare).html();
    String text = parse(html).getDocumentElement().getTextContent();
    assertThat(text)
        .contains("does not ask for it", "not judged")
        .doesNotContain("What it can do", "Inside", "How it was updated");
    assertThat(html).doesNotContain("<svg");
  }
}
