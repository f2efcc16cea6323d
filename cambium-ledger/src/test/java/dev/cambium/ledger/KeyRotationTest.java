package dev.cambium.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cambium.model.Fact;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KeyRotationTest {

  @TempDir Path directory;

  private Ledger open() {
    return Ledger.open(directory, InstantSource.system());
  }

  private static VerificationReport verify(Ledger ledger) {
    return ledger.verify(digest -> Optional.empty());
  }

  private static void add(Ledger ledger) {
    ledger.append("test", List.of(History.declared()), List.of());
  }

  @Test
  void checkpointsAreSignedByTheKeyThatIsValidThen() {
    try (Ledger ledger = Ledger.create(directory, InstantSource.system())) {
      add(ledger);
      VerifierKey first = ledger.verifierKey();
      VerifierKey second = ledger.rotateKey("test", "yearly");
      add(ledger);
      VerifierKey third = ledger.rotateKey("test", "a laptop was stolen");
      add(ledger);

      assertThat(List.of(first, second, third)).doesNotHaveDuplicates();
      assertThat(second.name()).isEqualTo(first.name());
      assertThat(ledger.keys().all()).containsExactly(first, second, third);
      assertThat(ledger.keys().signers(1)).containsExactly(first);
      assertThat(ledger.keys().signers(2)).containsExactly(first, second);
      assertThat(ledger.keys().signers(3)).containsExactly(second);
      assertThat(ledger.keys().signers(4)).containsExactly(second, third);
      assertThat(ledger.keys().signers(5)).containsExactly(third);
      for (long size = 1; size <= 5; size++) {
        String note = ledger.state().checkpoint(size).orElseThrow();
        assertThat(Checkpoint.open(note, ledger.keys()).size()).isEqualTo(size);
        if (ledger.keys().signers(size).size() == 2) {
          // Both signatures count: a change of either is noticed.
          int end = note.length() - 10;
          String altered =
              note.substring(0, end)
                  + (note.charAt(end) == 'A' ? 'B' : 'A')
                  + note.substring(end + 1);
          assertThatIllegalArgumentException()
              .isThrownBy(() -> Checkpoint.open(altered, ledger.keys()));
        }
        for (VerifierKey key : ledger.keys().all()) {
          assertThat(SignedNote.parse(note).signedBy(key))
              .isEqualTo(ledger.keys().signers(size).contains(key));
        }
      }
      assertThat(verify(ledger).findings()).isEmpty();
    }
    try (Ledger reopened = open()) {
      add(reopened);
      assertThat(verify(reopened).findings()).isEmpty();
      // Who holds the first key alone can follow to the second.
      RecordProof proof = reopened.prove(1, OptionalLong.of(2));
      KeyHistory first = KeyHistory.of(reopened.keys().all().get(0));
      Fact.KeyRotated rotated = (Fact.KeyRotated) proof.check(first).record().fact();
      assertThat(rotated.to()).isEqualTo(reopened.keys().all().get(1).toString());
      assertThat(rotated.reason()).isEqualTo("yearly");
    }
  }

  @Test
  void anotherProcessTakesUpTheNewKey() {
    try (Ledger one = Ledger.create(directory, InstantSource.system());
        Ledger other = open()) {
      add(one);
      VerifierKey next = one.rotateKey("test", "yearly");
      add(other);
      assertThat(other.verifierKey()).isEqualTo(next);
      VerifierKey third = other.rotateKey("test", "again");
      add(one);
      assertThat(one.verifierKey()).isEqualTo(third);
      assertThat(verify(one).findings()).isEmpty();
    }
  }

  @Test
  void aRotationThatIsNoLongerRecordedIsNamed() throws Exception {
    try (Ledger ledger = Ledger.create(directory, InstantSource.system())) {
      add(ledger);
      ledger.rotateKey("test", "yearly");
    }
    try (Connection connection =
            DriverManager.getConnection("jdbc:sqlite:" + directory.resolve(".cambium/ledger.db"));
        Statement statement = connection.createStatement()) {
      statement.execute("delete from log_record where idx = 1");
    }
    try (Ledger ledger =
        Ledger.openToVerify(directory, StoreAddress.local(), InstantSource.system())) {
      VerificationReport.Finding first = verify(ledger).findings().get(0);
      assertThat(first.index()).isEqualTo(1);
      assertThat(first.expected()).startsWith("key-rotated");
      assertThat(first.found()).isEqualTo("missing");
    }
  }

  @Test
  void ofTwoWhoReplaceOneKeyOneIsRefused() throws IOException {
    try (Ledger one = Ledger.create(directory, InstantSource.system());
        Ledger other = open()) {
      VerifierKey next = one.rotateKey("test", "yearly");
      assertThatThrownBy(() -> other.rotateKey("test", "yearly"))
          .isInstanceOf(InvalidFactException.class)
          .hasMessageContaining(next.toString());
      assertThat(other.rotateKey("test", "and now")).isNotEqualTo(next);
    }
    try (Stream<Path> files = Files.list(directory.resolve(".cambium/key"))) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .containsExactlyInAnyOrder(SigningKey.PRIVATE_FILE, SigningKey.PUBLIC_FILE);
    }
  }

  @Test
  void anInterruptedRotationIsFinishedWhenTheLedgerIsOpened() throws IOException {
    Path keys = directory.resolve(".cambium/key");
    Path pem = keys.resolve(SigningKey.PRIVATE_FILE);
    Path pub = keys.resolve(SigningKey.PUBLIC_FILE);
    VerifierKey next;
    byte[] oldPem;
    byte[] oldPub;
    try (Ledger ledger = Ledger.create(directory, InstantSource.system())) {
      add(ledger);
      oldPem = Files.readAllBytes(pem);
      oldPub = Files.readAllBytes(pub);
      next = ledger.rotateKey("test", "yearly");
    }
    String prefix = "next-" + next.toString().split("\\+")[1] + "-";
    // As after a crash between the record and the first rename, and between the two renames.
    for (boolean halfway : new boolean[] {false, true}) {
      Files.move(pub, keys.resolve(prefix + SigningKey.PUBLIC_FILE));
      Files.write(pub, oldPub);
      if (!halfway) {
        Files.move(pem, keys.resolve(prefix + SigningKey.PRIVATE_FILE));
        Files.write(pem, oldPem);
        Files.setPosixFilePermissions(pem, PosixFilePermissions.fromString("rw-------"));
      }
      if (halfway) {
        // The two files of the directory do not belong together until that is done.
        assertThat(SigningKey.loadPublic(keys)).isNotEqualTo(next);
      }
      try (Ledger ledger = open()) {
        assertThat(ledger.verifierKey()).isEqualTo(next);
        add(ledger);
        assertThat(verify(ledger).findings()).isEmpty();
      }
    }
  }

  @Test
  void theOldKeySignsNothingMore() throws IOException {
    Path pub = directory.resolve(".cambium/key").resolve(SigningKey.PUBLIC_FILE);
    Path pem = directory.resolve(".cambium/key").resolve(SigningKey.PRIVATE_FILE);
    byte[] oldPub;
    byte[] oldPem;
    try (Ledger ledger = Ledger.create(directory, InstantSource.system())) {
      add(ledger);
      oldPub = Files.readAllBytes(pub);
      oldPem = Files.readAllBytes(pem);
      ledger.rotateKey("test", "yearly");
      assertThatIllegalArgumentException()
          .isThrownBy(
              () ->
                  ledger.append(
                      "test", List.of(new Fact.KeyRotated("a", "b", "by hand")), List.of()))
          .withMessageContaining("rotateKey");
    }
    Files.write(pub, oldPub);
    Files.write(pem, oldPem);
    assertThatThrownBy(this::open)
        .isInstanceOf(LedgerException.class)
        .hasMessageContaining("restore the newest key");
  }

  @Test
  void aKeyThatOthersCanReadIsRefused() throws IOException {
    Ledger.create(directory, InstantSource.system()).close();
    Path pem = directory.resolve(".cambium/key").resolve(SigningKey.PRIVATE_FILE);
    for (String mode : List.of("rw-r-----", "rw----r--", "rw--w----")) {
      Files.setPosixFilePermissions(pem, PosixFilePermissions.fromString(mode));
      assertThatThrownBy(this::open)
          .isInstanceOf(LedgerException.class)
          .hasMessageContaining(mode)
          .hasMessageContaining("chmod 600 " + pem);
    }
  }
}
