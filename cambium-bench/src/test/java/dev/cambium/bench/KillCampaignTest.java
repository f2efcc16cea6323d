package dev.cambium.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A few of the benchmark's instants in every build; the benchmark itself tries more. */
class KillCampaignTest {

  @Test
  void aKilledCampaignIsResumedToTheSameDigests(@TempDir Path directory) throws Exception {
    KillCampaign.Result result = new KillCampaign(directory).run(4, line -> {});
    assertThat(result.killed()).isGreaterThan(1);
    assertThat(result.equal()).isEqualTo(result.tried());
  }
}
