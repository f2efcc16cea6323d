package dev.cambium.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A small part of the tampering and fuzzing benchmarks in every build. */
class UnderFireTest {

  @TempDir Path directory;

  @Test
  void everyTriedFlipAndForgeryIsNoticed() throws Exception {
    TamperSweep sweep = new TamperSweep(directory);
    sweep.build(1, 512);
    Map<String, TamperSweep.Counts> flips = sweep.flips(401, 3, line -> {});
    assertThat(flips.keySet())
        .containsExactly("artifacts", "checkpoint", "database", "keys", "published", "wal");
    assertThat(flips.values()).allMatch(counts -> counts.missed == 0 && counts.flipped > 0);
    assertThat(flips.get("database").noticed).isGreaterThan(10);
    assertThat(flips.values()).allMatch(counts -> counts.located + counts.toFile == counts.noticed);
    // A commit that SQLite no longer reads is missing for whoever kept a checkpoint of it.
    assertThat(flips.get("wal").witnessed).isPositive();
    TamperSweep.Forged forged = sweep.forgeries(line -> {});
    assertThat(forged.tried()).isGreaterThan(50);
    assertThat(forged.caught()).isEqualTo(forged.tried());
    assertThat(forged.located()).isEqualTo(forged.tried());
    assertThat(forged.putBackCaught()).isEqualTo(forged.putBack()).isPositive();
  }

  @Test
  void noReaderIsBroughtDown() throws Exception {
    Fuzz fuzz = new Fuzz(directory);
    for (String target : fuzz.names()) {
      Fuzz.Result result = fuzz.run(target, 200, 11, line -> {});
      // Time is not asserted: a busy machine may take any.
      assertThat(result.findings).as(target).allMatch(finding -> finding.startsWith("took "));
      assertThat(result.inputs).isEqualTo(200);
    }
  }
}
