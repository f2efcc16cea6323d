package dev.cambium.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KillServerTest {

  @Test
  void nothingAcknowledgedIsLostWithTheServer(@TempDir Path directory) throws Exception {
    KillServer.Result result = new KillServer(directory, 1).run(3);
    assertThat(result.sound()).as("%s", result).isTrue();
    assertThat(result.acknowledged()).isPositive();
    assertThat(result.failed() + result.unknownIn() + result.unknownOut()).isPositive();
  }
}
