package dev.cambium.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cambium.model.Digest;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class DigestSetTest {

  @Test
  void isASetOfDigests() {
    Random random = new Random(1);
    Set<Digest> expected = new HashSet<>();
    DigestSet set = new DigestSet();
    for (int i = 0; i < 5_000; i++) {
      // Few values, so that many are there already; most share their first bytes.
      byte[] raw = new byte[32];
      raw[31] = (byte) random.nextInt(64);
      raw[random.nextInt(32)] = (byte) random.nextInt(4);
      Digest digest = Digest.ofRaw(raw);
      assertThat(set.contains(digest)).isEqualTo(expected.contains(digest));
      assertThat(set.add(digest)).isEqualTo(expected.add(digest));
      assertThat(set.contains(digest)).isTrue();
    }
    assertThat(expected).contains(new Digest("0".repeat(64))).hasSizeGreaterThan(1_000);
  }
}
