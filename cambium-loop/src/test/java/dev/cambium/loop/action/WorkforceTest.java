package dev.cambium.loop.action;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;

class WorkforceTest {

  private static final long GB = 1_000_000_000L;

  private static Workforce of(long bytes, boolean full, int cores, long memory) {
    return Workforce.of(bytes, full, cores, memory, Map.of());
  }

  @Test
  void smallModelsHaveAWorkerOfOneThreadForEachCore() {
    assertThat(of(0, false, 4, GB)).isEqualTo(new Workforce(4, 1, ""));
    assertThat(of(10_000_000, true, 4, 8 * GB)).isEqualTo(new Workforce(4, 1, ""));
  }

  @Test
  void largerOnesShareThreadsAndAreAsManyAsFitIntoMemory() {
    assertThat(of(270_000_000, true, 2, 24 * GB)).isEqualTo(new Workforce(1, 2, ""));
    assertThat(of(270_000_000, true, 16, 128 * GB)).isEqualTo(new Workforce(4, 4, ""));
    assertThat(of(270_000_000, true, 16, 12 * GB).workers()).isEqualTo(2);
    assertThat(of(270_000_000, false, 16, 12 * GB).workers()).isEqualTo(3);
    Workforce tight = of(270_000_000, true, 16, 3 * GB);
    assertThat(tight.workers()).isEqualTo(1);
    assertThat(tight.remark()).contains("1 worker may need 4.2 GB", "3.0 GB");
  }

  @Test
  void theEnvironmentHasTheLastWordAndIsWarned() {
    Workforce asked =
        Workforce.of(
            270_000_000, true, 2, 8 * GB, Map.of(Workforce.WORKERS, "3", Workforce.THREADS, "1"));
    assertThat(asked.workers()).isEqualTo(3);
    assertThat(asked.threads()).as("the engine reads the variable itself").isZero();
    assertThat(asked.remark()).contains("3 workers", "CAMBIUM_WORKERS");
    assertThatThrownBy(() -> Workforce.of(1, true, 1, GB, Map.of(Workforce.WORKERS, "two")))
        .hasMessageContaining("CAMBIUM_WORKERS must be a number, not 'two'");
    assertThat(Workforce.patience(Map.of()).toMinutes()).isEqualTo(30);
    assertThat(Workforce.patience(Map.of(Workforce.PATIENCE, "90"))).hasSeconds(90);
    assertThatThrownBy(() -> Workforce.patience(Map.of(Workforce.PATIENCE, "0")))
        .hasMessageContaining(Workforce.PATIENCE);
    assertThatThrownBy(() -> Workforce.of(1, true, 1, GB, Map.of(Workforce.THREADS, "0")))
        .hasMessageContaining("at least 1");
  }
}
