package dev.cambium.cli;

import dev.cambium.ledger.Envelope;
import dev.cambium.loop.Cambium;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code cambium attest}. */
@Command(
    name = "attest",
    description = {
      "Sign a statement about how a version, or what an action made, came to be.",
      "An in-toto statement with SLSA provenance (materials, recipe, engine, product) in a DSSE"
          + " envelope, made from the ledger's records."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  cambium attest banking@3 --out banking-3.intoto.json",
      "  cambium attest 14        the action that record 14 tells of"
    })
final class AttestCommand extends Subcommand.OnEcosystem {

  @Parameters(
      index = "0",
      paramLabel = "LINE[@N|@CHANNEL]|RECORD",
      description = "The version, or the record of an action.")
  private String target = "";

  @Option(names = "--out", paramLabel = "FILE", description = "Write it here, not to the console.")
  private @Nullable Path out;

  @Override
  int on(Cambium cambium, Console console) throws IOException {
    Envelope envelope;
    if (target.chars().allMatch(Character::isDigit)) {
      envelope = cambium.attest(Long.parseLong(target));
    } else {
      envelope = cambium.attest(cambium.resolve(new Words.TargetWord().convert(target)));
    }
    console.file(out, new String(envelope.bytes(), StandardCharsets.UTF_8));
    return ExitCode.DONE;
  }
}
