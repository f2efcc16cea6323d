package dev.cambium.engine.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LanesTest {

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 5})
  void allRunAtOnceWithOneThreadEach(int count) {
    Set<Thread> threads = ConcurrentHashMap.newKeySet();
    CountDownLatch all = new CountDownLatch(count);
    try (Lanes lanes = new Lanes(count)) {
      for (int time = 0; time < 3; time++) {
        lanes.run(
            lane -> {
              assertThat(torch.get_num_threads()).isEqualTo(1);
              threads.add(Thread.currentThread());
              all.countDown();
              try {
                assertThat(all.await(60, TimeUnit.SECONDS)).isTrue();
              } catch (InterruptedException e) {
                throw new IllegalStateException(e);
              }
            });
        assertThat(torch.get_num_threads()).isEqualTo(Backend.instance().threads());
      }
    }
    assertThat(threads).hasSize(count).contains(Thread.currentThread());
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 2})
  void aFailureIsThrownWhenAllAreDone(int failing) {
    AtomicInteger done = new AtomicInteger();
    try (Lanes lanes = new Lanes(3)) {
      assertThatThrownBy(
              () ->
                  lanes.run(
                      lane -> {
                        if (lane == failing) {
                          throw new IllegalStateException("lane " + lane);
                        }
                        done.incrementAndGet();
                      }))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("lane " + failing);
      assertThat(done).hasValue(2);
      assertThat(torch.get_num_threads()).isEqualTo(Backend.instance().threads());
      lanes.run(lane -> done.incrementAndGet());
      assertThat(done).hasValue(5);
    }
  }

  @Test
  void refusesNone() {
    assertThatThrownBy(() -> new Lanes(0)).hasMessageContaining("at least 1");
  }
}
