package dev.cambium.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A few of the benchmark's instants in every build; the benchmark itself tries more. */
class KillCampaignTest {

  @Test
  void aKilledCampaignIsResumedToTheSameDigests(@TempDir Path directory) throws Exception {
    KillCampaign.Result result = new KillCampaign(directory).run(5, line -> {});
    assertThat(result.kills()).isEqualTo(5);
    assertThat(result.equal()).isEqualTo(result.campaigns()).isPositive();
    // Over the same folder there is nothing more to do.
    assertThat(new KillCampaign(directory).run(5, line -> {})).isEqualTo(result);
  }
}
