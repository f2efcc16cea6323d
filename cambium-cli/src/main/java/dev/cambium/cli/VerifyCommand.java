package dev.cambium.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.cambium.ledger.Checkpoint;
import dev.cambium.ledger.ConsistencyProof;
import dev.cambium.ledger.Envelope;
import dev.cambium.ledger.KeyHistory;
import dev.cambium.ledger.PublishedLog;
import dev.cambium.ledger.RecordProof;
import dev.cambium.ledger.VerificationReport;
import dev.cambium.ledger.VerifierKey;
import dev.cambium.ledger.Witness;
import dev.cambium.loop.Cambium;
import dev.cambium.model.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code cambium verify}. */
@Command(
    name = "verify",
    description = {
      "Check the whole ecosystem against its ledger.",
      "Computes everything anew: leaf hashes, the Merkle tree, signatures, the digests of all"
          + " artifacts, the state from the records.",
      "Exit code 6 if anything does not fit, naming it.",
      "With --proof, --attestation or --published, only those are checked; with --key as well, no"
          + " ecosystem is needed."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  cambium verify",
      "  cambium verify --dir /backup/fleet",
      "  cambium verify --against kept-elsewhere.txt",
      "  cambium verify --proof release.tlog-proof --key ledger.pub"
    })
final class VerifyCommand extends Subcommand.OnEcosystem {

  @Option(
      names = "--against",
      paramLabel = "CHECKPOINT",
      description = {
        "A checkpoint that was kept elsewhere (cambium log --checkpoint):",
        "shows whether the history up to it was rewritten. May be given several times."
      })
  private List<Path> against = List.of();

  @Option(
      names = "--proof",
      paramLabel = "FILE",
      description = "Check a proof by cambium prove; one made with --since needs --against, too.")
  private @Nullable Path proof;

  @Option(
      names = "--attestation",
      paramLabel = "FILE",
      description = "Check a statement by cambium attest.")
  private @Nullable Path attestation;

  @Option(
      names = "--published",
      paramLabel = "DIR",
      description = "Check a log that cambium publish wrote.")
  private @Nullable Path published;

  @Option(
      names = "--key",
      paramLabel = "KEY",
      description = "The public key (or a file with it) to check by, instead of the ecosystem's.")
  private @Nullable String key;

  @Override
  public Integer call() throws Exception {
    if (key == null) {
      return super.call();
    }
    if (proof == null && attestation == null && published == null) {
      throw usage("--key goes with --proof, --attestation or --published");
    }
    Path file = Path.of(key);
    String text = key.contains("+") ? key : Files.readString(file);
    try (Console console = console()) {
      return parts(KeyHistory.of(VerifierKey.parse(text)), null, console);
    }
  }

  @Override
  Cambium open(Path directory) {
    return Cambium.openToVerify(directory, actor(), InstantSource.system());
  }

  @Override
  int on(Cambium cambium, Console console) throws IOException {
    if (proof != null || attestation != null || published != null) {
      return parts(cambium.keys(), cambium, console);
    }
    List<Witness> kept = new ArrayList<>();
    for (Path file : against) {
      kept.add(new Witness(file.toString(), Files.readString(file)));
    }
    VerificationReport report = cambium.verify(console.progress(), kept);
    int code = report.intact() ? ExitCode.DONE : ExitCode.INTEGRITY;
    if (console.json()) {
      Map<String, Object> told = new LinkedHashMap<>();
      told.put("intact", report.intact());
      told.put("records", report.records());
      told.put("checkpoints", report.checkpoints());
      told.put("projection-rows", report.projectionRows());
      told.put("artifacts", report.artifacts());
      told.put("findings", report.findings());
      told.put("omitted", report.omitted());
      console.json(told);
      return code;
    }
    for (VerificationReport.Finding finding : report.findings()) {
      boolean error = finding.severity() == VerificationReport.Severity.ERROR;
      console.line(
          "%s %s",
          console.tone(
              error ? Console.Tone.BAD : Console.Tone.DOUBTFUL, error ? "does not fit" : "warning"),
          finding);
    }
    if (report.omitted() > 0) {
      console.line("… and %d more", report.omitted());
    }
    console.line(
        "%s: %s, %s, %s, %s compared.",
        report.intact()
            ? console.tone(Console.Tone.GOOD, "Intact")
            : console.tone(Console.Tone.BAD, "Not intact"),
        Texts.count(report.records(), "record"),
        Texts.count(report.checkpoints(), "signature"),
        Texts.count(report.artifacts(), "artifact"),
        Texts.count(report.projectionRows(), "row"));
    return code;
  }

  /** Checks what somebody handed over, each on its own. */
  private int parts(KeyHistory keys, @Nullable Cambium cambium, Console console)
      throws IOException {
    Map<String, Object> told = new LinkedHashMap<>();
    int code = ExitCode.DONE;
    if (proof != null) {
      Path file = proof;
      code = Math.max(code, part(console, told, "proof", () -> proof(file, keys)));
    }
    if (attestation != null) {
      Path file = attestation;
      code =
          Math.max(code, part(console, told, "attestation", () -> statement(file, keys, cambium)));
    }
    if (published != null) {
      PublishedLog.Checked checked = new PublishedLog(published).check(keys);
      checked
          .findings()
          .forEach(
              finding ->
                  console.line("%s %s", console.tone(Console.Tone.BAD, "does not fit"), finding));
      told.put("findings", checked.findings());
      if (!checked.findings().isEmpty()) {
        code = ExitCode.INTEGRITY;
      } else if (!console.json()) {
        console.line(
            "%s: a log of %s, signed by %s, in %s.",
            console.tone(Console.Tone.GOOD, "Intact"),
            Texts.count(checked.checkpoint().orElseThrow().size(), "record"),
            keys.current().name(),
            Texts.count(checked.files(), "file"));
      }
    }
    if (console.json()) {
      told.put("intact", code == ExitCode.DONE);
      console.json(told);
    }
    return code;
  }

  /** Says what was found; the text of an exception says what does not hold. */
  private interface Check {
    String run() throws IOException;
  }

  private static int part(Console console, Map<String, Object> told, String what, Check check)
      throws IOException {
    try {
      String found = check.run();
      told.put(what, found);
      if (!console.json()) {
        console.line("%s: %s", console.tone(Console.Tone.GOOD, "Holds"), found);
      }
      return ExitCode.DONE;
    } catch (IllegalArgumentException e) {
      told.put(what, String.valueOf(e.getMessage()));
      if (!console.json()) {
        console.line("%s: %s", console.tone(Console.Tone.BAD, "Does not hold"), e.getMessage());
      }
      return ExitCode.INTEGRITY;
    }
  }

  private String proof(Path file, KeyHistory keys) throws IOException {
    String text = Files.readString(file);
    if (ConsistencyProof.begins(text)) {
      if (against.size() != 1) {
        throw usage("this proof is about a checkpoint that was kept: name it with --against");
      }
      Checkpoint kept = Checkpoint.open(Files.readString(against.get(0)), keys);
      Checkpoint head = ConsistencyProof.parse(text).check(kept, keys);
      return "the log of size "
          + head.size()
          + ", signed by "
          + head.origin()
          + ", continues the log of size "
          + kept.size();
    }
    RecordProof.Proven proven = RecordProof.parse(text).check(keys);
    return "the log of size "
        + proven.checkpoint().size()
        + ", signed by "
        + proven.checkpoint().origin()
        + ", has as record "
        + proven.record().index()
        + ", by "
        + proven.record().actor()
        + " on "
        + proven.record().time()
        + ": "
        + Json.mapper().writeValueAsString(proven.record().fact());
  }

  private static String statement(Path file, KeyHistory keys, @Nullable Cambium cambium)
      throws IOException {
    Envelope envelope = Envelope.parse(Files.readString(file).strip().getBytes(UTF_8));
    byte[] payload = envelope.open(keys);
    if (cambium == null) {
      return "signed by " + keys.current().name() + ": " + new String(payload, UTF_8);
    }
    return "it says what record " + cambium.checkAttestation(envelope) + " says";
  }
}
