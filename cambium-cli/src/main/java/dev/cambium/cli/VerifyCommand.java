package dev.cambium.cli;

import dev.cambium.ledger.VerificationReport;
import dev.cambium.loop.Cambium;
import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine.Command;

/** {@code cambium verify}. */
@Command(
    name = "verify",
    description = {
      "Check the whole ecosystem against its ledger.",
      "Computes everything anew: leaf hashes, the Merkle tree, signatures, the digests of all"
          + " artifacts, the state from the records.",
      "Exit code 6 if anything does not fit, naming it."
    },
    footerHeading = "%nExamples:%n",
    footer = {"  cambium verify", "  cambium verify --dir /backup/fleet"})
final class VerifyCommand extends Subcommand.OnEcosystem {

  @Override
  int on(Cambium cambium, Console console) {
    VerificationReport report = cambium.verify(console.progress());
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
}
