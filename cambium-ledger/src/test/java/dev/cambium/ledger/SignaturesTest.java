package dev.cambium.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import org.bouncycastle.math.ec.rfc8032.Ed25519;
import org.junit.jupiter.api.Test;

/** Which implementation signs or checks cannot be told from what comes out. */
class SignaturesTest {

  @Test
  void bothImplementationsGiveTheSameBytesAndAgreeOnForgeries() {
    Random random = new Random(1);
    for (int i = 0; i < 20; i++) {
      byte[] secret = bytes(random, 32);
      byte[] key = new byte[Signatures.KEY_LENGTH];
      Ed25519.generatePublicKey(secret, 0, key, 0);
      Signatures.Seed seed = new Signatures.Seed(secret);
      byte[] message = bytes(random, random.nextInt(300));
      byte[] signature = Signatures.signPlain(seed, message);
      assertThat(Signatures.signFast(seed, message)).isEqualTo(signature);
      assertThat(Signatures.verifyPlain(key, message, signature)).isTrue();
      assertThat(Signatures.verifyFast(key, message, signature)).isTrue();
      byte[] forged = signature.clone();
      forged[random.nextInt(forged.length)] ^= (byte) (1 << random.nextInt(8));
      assertThat(Signatures.verifyPlain(key, message, forged)).isFalse();
      assertThat(Signatures.verifyFast(key, message, forged)).isFalse();
    }
  }

  /** RFC 8032, section 7.1, test 2. */
  @Test
  void theVectorsOfTheSpecificationHoldWhoeverComputes() {
    HexFormat hex = HexFormat.of();
    Signatures.Seed seed =
        new Signatures.Seed(
            hex.parseHex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"));
    byte[] key = hex.parseHex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
    byte[] message = {0x72};
    String expected =
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            + "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
    for (int i = 0; i < 2 * Signatures.FEW; i++) { // past where one takes over from the other
      byte[] signature = Signatures.sign(seed, message);
      assertThat(hex.formatHex(signature)).isEqualTo(expected);
      assertThat(Signatures.verify(key, message, signature)).isTrue();
      assertThat(Signatures.verify(key, message, Arrays.copyOf(signature, 65))).isFalse();
    }
  }

  private static byte[] bytes(Random random, int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    return bytes;
  }
}
