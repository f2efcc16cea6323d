package dev.cambium.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.cambium.model.Digest;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Proofs and envelopes as files, checked with nothing but a public key. */
class ProofFileTest {

  /** The example of C2SP tlog-checkpoint; its key is not published. */
  private static final String PUBLISHED_CHECKPOINT =
      """
      example.com/behind-the-sofa
      20852163
      CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

      \u2014 example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
      """;

  /** The example of C2SP signed-note: the last empty line parts text and signatures. */
  private static final String PUBLISHED_NOTE =
      """
      Ognuno sta solo sul cuor della terra
      trafitto da un raggio di sole:

      ed è subito sera.

      \u2014 quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=
      """;

  @TempDir Path directory;
  private Ledger ledger;
  private KeyHistory keys;

  @BeforeEach
  void live() {
    ledger = Ledger.create(directory, InstantSource.system());
    History.live(ledger);
    keys = KeyHistory.of(VerifierKey.parse(ledger.verifierKey().toString()));
  }

  @AfterEach
  void close() {
    ledger.close();
  }

  @Test
  void theExamplesOfTheSpecificationsAreTakenApart() {
    SignedNote note = SignedNote.parse(PUBLISHED_NOTE);
    assertThat(note.signatures()).isEqualTo(1);
    assertThat(note.text()).startsWith("Ognuno").endsWith("raggio di sole:\n\ned è subito sera.\n");
    SignedNote checkpoint = SignedNote.parse(PUBLISHED_CHECKPOINT);
    Checkpoint head = Checkpoint.parse(checkpoint.text());
    assertThat(head.origin()).isEqualTo("example.com/behind-the-sofa");
    assertThat(head.size()).isEqualTo(20_852_163);
    assertThat(head.root().hex())
        .isEqualTo("0ac5186a91863e8e1d90c808014aa89bf5da8e3ee1d9f07630f0378f68f1ab62");
    assertThat(PUBLISHED_CHECKPOINT).startsWith(head.body());
  }

  @Test
  void aNoteWithAFailingSignatureOfAKnownKeyIsRefused() {
    SigningKey key = SigningKey.generate(directory.resolve("k"));
    String good = SignedNote.sign("text\n", List.of(key));
    String bad = SignedNote.sign("other\n", List.of(key)).substring("other\n\n".length());
    assertThat(SignedNote.parse(good).signedBy(key.verifier())).isTrue();
    assertThat(SignedNote.parse(good + bad).signedBy(key.verifier())).isFalse();
    assertThatIllegalArgumentException()
        .isThrownBy(() -> SignedNote.parse(good.replace("text", "te\tt")));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> SignedNote.parse(good + bad.repeat(SignedNote.MAX_SIGNATURES)))
        .withMessageContaining("64");
  }

  @Test
  void everyRecordIsProvenToWhoeverHoldsTheKey() {
    for (long size = 1; size <= 21; size++) {
      for (long index = 0; index < size; index++) {
        String file = ledger.prove(index, OptionalLong.of(size)).text();
        RecordProof.Proven proven = RecordProof.parse(file).check(keys);
        assertThat(proven.record()).isEqualTo(ledger.state().record(index).orElseThrow());
        assertThat(proven.checkpoint().size()).isEqualTo(size);
      }
    }
    assertThat(ledger.prove(4, OptionalLong.empty()).text())
        .startsWith("c2sp.org/tlog-proof@v1\nextra ")
        .contains("\nindex 4\n")
        .endsWith(ledger.state().checkpoint().orElseThrow());
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ledger.prove(21, OptionalLong.empty()))
        .withMessage("no record 21 in the log of size 21");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ledger.prove(3, OptionalLong.of(22)))
        .withMessage("no checkpoint of size 22 was signed");
  }

  @Test
  void everyChangedByteOfAProofIsNoticed() {
    String file = ledger.prove(7, OptionalLong.empty()).text();
    everyChange(file, altered -> RecordProof.parse(altered).check(keys));
  }

  @Test
  void aLogIsProvenToContinueWhatItWas() {
    Checkpoint kept = Checkpoint.open(ledger.state().checkpoint(13).orElseThrow(), keys);
    String file = ledger.proveSince(13).text();
    assertThat(ConsistencyProof.begins(file)).isTrue();
    assertThat(ConsistencyProof.parse(file).check(kept, keys).size()).isEqualTo(21);
    everyChange(file, altered -> ConsistencyProof.parse(altered).check(kept, keys));
    Checkpoint other = new Checkpoint(kept.origin(), 13, Digest.ofText("another history"));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ConsistencyProof.parse(file).check(other, keys))
        .withMessageContaining("does not continue");
  }

  /** The protocol's own example of what is signed. */
  @Test
  void whatIsSignedIsThePublishedEncoding() {
    assertThat(
            Envelope.preAuthenticationEncoding(
                "http://example.com/HelloWorld", "hello world".getBytes(StandardCharsets.UTF_8)))
        .asString(StandardCharsets.UTF_8)
        .isEqualTo("DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    assertThat(Envelope.preAuthenticationEncoding("\u00e9", new byte[0]))
        .asString(StandardCharsets.UTF_8)
        .isEqualTo("DSSEv1 2 \u00e9 0 ");
  }

  @Test
  void everyChangedByteOfAnEnvelopeIsNoticed() {
    Envelope envelope = ledger.sign("text/plain", "hello".getBytes(StandardCharsets.UTF_8));
    String file = new String(envelope.bytes(), StandardCharsets.UTF_8);
    assertThat(Envelope.parse(envelope.bytes()).open(keys)).asString().isEqualTo("hello");
    everyChange(
        file, altered -> Envelope.parse(altered.getBytes(StandardCharsets.UTF_8)).open(keys));
    ledger.rotateKey("test", "yearly");
    assertThat(envelope.open(ledger.keys())).asString().isEqualTo("hello");
  }

  private interface Check {
    void accept(String altered);
  }

  private static void everyChange(String file, Check check) {
    check.accept(file);
    for (int i = 0; i < file.length(); i++) {
      for (char c : new char[] {'A', '\n', (char) (file.charAt(i) ^ 1)}) {
        String altered = file.substring(0, i) + c + file.substring(i + 1);
        if (!altered.equals(file)) {
          assertThatIllegalArgumentException()
              .as("character %d of %s", i, file)
              .isThrownBy(() -> check.accept(altered));
        }
      }
    }
    assertThatIllegalArgumentException().isThrownBy(() -> check.accept(file + "\n"));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> check.accept(file.substring(0, file.length() - 1)));
  }
}
