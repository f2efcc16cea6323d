package dev.cambium.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cambium.model.Digest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckpointTest {

  /** The example of the signed-note format's reference implementation. */
  private static final String PUBLISHED_KEY =
      "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

  private static final String PUBLISHED_NOTE =
      "If you think cryptography is the answer to your problem,\n"
          + "then you don't know what your problem is.\n"
          + "\n"
          + "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

  @TempDir Path directory;

  @Test
  void keysAndSignaturesAreThoseOfTheReferenceImplementation() {
    VerifierKey key = VerifierKey.parse(PUBLISHED_KEY);
    assertThat(key.name()).isEqualTo("PeterNeumann");
    assertThat(key).hasToString(PUBLISHED_KEY);
    // Its signature holds, so what is wrong is only that its text is no checkpoint.
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Checkpoint.open(PUBLISHED_NOTE, key))
        .withMessageContaining("an origin, a size and a root");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Checkpoint.open(PUBLISHED_NOTE.replace("answer", "question"), key))
        .withMessage("no valid signature by PeterNeumann");
  }

  @Test
  void aNoteOpensToWhatWasSigned() {
    SigningKey key = SigningKey.generate(directory);
    Checkpoint checkpoint = checkpoint(key, 42);
    String note = checkpoint.sign(key);
    assertThat(List.of(note.split("\n")))
        .hasSize(5)
        .startsWith(
            key.verifier().name(),
            "42",
            Base64.getEncoder().encodeToString(Digest.ofText("root").raw()),
            "")
        .last()
        .asString()
        .startsWith("\u2014 " + key.verifier().name() + " ");
    assertThat(Checkpoint.open(note, key.verifier())).isEqualTo(checkpoint);
    assertThat(Checkpoint.open(note, SigningKey.load(directory).verifier())).isEqualTo(checkpoint);
    assertThat(SigningKey.load(directory).sign(new byte[3])).isEqualTo(key.sign(new byte[3]));
  }

  @Test
  void signaturesByOthersAreIgnored() {
    SigningKey key = SigningKey.generate(directory.resolve("ours"));
    SigningKey other = SigningKey.generate(directory.resolve("other"));
    Checkpoint checkpoint = checkpoint(key, 7);
    String theirs = checkpoint.sign(other).substring(checkpoint.body().length() + 1);
    assertThat(Checkpoint.open(checkpoint.sign(key) + theirs, key.verifier()))
        .isEqualTo(checkpoint);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Checkpoint.open(checkpoint.body() + "\n" + theirs, key.verifier()));
  }

  @Test
  void everyChangedCharacterIsNoticed() {
    SigningKey key = SigningKey.generate(directory);
    Checkpoint checkpoint = checkpoint(key, 1234);
    String note = checkpoint.sign(key);
    for (int i = 0; i < note.length(); i++) {
      char changed = note.charAt(i) == 'A' ? 'B' : 'A';
      String altered = note.substring(0, i) + changed + note.substring(i + 1);
      assertThatIllegalArgumentException()
          .as("character %d of %s", i, note)
          .isThrownBy(() -> Checkpoint.open(altered, key.verifier()));
    }
  }

  @Test
  void malformedCheckpointsAreRefusedEvenIfSigned() {
    SigningKey key = SigningKey.generate(directory);
    String root = Base64.getEncoder().encodeToString(Digest.ofText("root").raw());
    String name = key.verifier().name();
    for (String body :
        new String[] {
          name + "\n007\n" + root + "\n",
          name + "\n-1\n" + root + "\n",
          name + "\nseven\n" + root + "\n",
          name + "\n7\nAAAA\n",
          name + "\n7\n" + root + "\nmore\n",
          "other\n7\n" + root + "\n"
        }) {
      String note = signed(body, key);
      assertThatIllegalArgumentException()
          .as(body)
          .isThrownBy(() -> Checkpoint.open(note, key.verifier()))
          .withMessageNotContaining("signature");
    }
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Checkpoint.open("nothing", key.verifier()));
  }

  private static String signed(String body, SigningKey key) {
    byte[] signature = key.sign(body.getBytes(java.nio.charset.StandardCharsets.UTF_8));
    byte[] line = new byte[4 + signature.length];
    System.arraycopy(key.verifier().hash(), 0, line, 0, 4);
    System.arraycopy(signature, 0, line, 4, signature.length);
    return body
        + "\n\u2014 "
        + key.verifier().name()
        + " "
        + Base64.getEncoder().encodeToString(line)
        + "\n";
  }

  @Test
  void unusableKeysSayWhatToDo() throws IOException {
    SigningKey.generate(directory);
    assertThatThrownBy(() -> SigningKey.generate(directory)).hasMessageContaining("already there");

    Path pem = directory.resolve(SigningKey.PRIVATE_FILE);
    assertThat(Files.getPosixFilePermissions(pem))
        .isEqualTo(PosixFilePermissions.fromString("rw-------"));
    Path pub = directory.resolve(SigningKey.PUBLIC_FILE);
    String publicKey = Files.readString(pub);

    SigningKey other = SigningKey.generate(directory.resolve("other"));
    Files.writeString(pub, other.verifier() + "\n");
    assertThatThrownBy(() -> SigningKey.load(directory)).hasMessageContaining("belong together");
    Files.writeString(pub, publicKey.replace("+", "-"));
    assertThatThrownBy(() -> SigningKey.load(directory)).hasMessageContaining("name+hash+key");
    Files.writeString(pub, publicKey);

    Files.writeString(pem, "no key");
    assertThatThrownBy(() -> SigningKey.load(directory)).hasMessageContaining("PKCS #8");
    Files.delete(pem);
    assertThatThrownBy(() -> SigningKey.load(directory))
        .isInstanceOf(LedgerException.class)
        .hasMessageContaining(pem + " is missing");
    Files.delete(pub);
    assertThatThrownBy(() -> SigningKey.load(directory)).hasMessageContaining(pub + " is missing");
  }

  @Test
  void malformedVerifierKeysAreRefused() {
    assertThatIllegalArgumentException().isThrownBy(() -> VerifierKey.parse("name"));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> VerifierKey.parse("name+00000000+!!"))
        .withMessageContaining("base 64");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> VerifierKey.parse("name+00000000+AAAA"))
        .withMessageContaining("not an Ed25519");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> VerifierKey.parse(PUBLISHED_KEY.replace("c74f20a3", "c74f20a4")))
        .withMessageContaining("c74f20a3");
  }

  private static Checkpoint checkpoint(SigningKey key, long size) {
    return new Checkpoint(key.verifier().name(), size, Digest.ofText("root"));
  }
}
