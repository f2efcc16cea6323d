package dev.cambium.cli;

import dev.cambium.ledger.Checkpoint;
import dev.cambium.loop.Cambium;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code cambium prove}. */
@Command(
    name = "prove",
    description = {
      "Prove a record, or that the log continues what it was, to somebody without the ledger.",
      "Who holds the public key checks the file with cambium verify --proof FILE --key KEY, or any"
          + " program that reads C2SP tlog-proof."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  cambium prove 17 --out release.tlog-proof",
      "  cambium prove --since kept-elsewhere.txt --out continued.txt"
    })
final class ProveCommand extends Subcommand.OnEcosystem {

  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "RECORD",
      description = "The record, as cambium log and cambium why number it.")
  private @Nullable Long record;

  @Option(
      names = "--size",
      paramLabel = "N",
      description = "Lead to the checkpoint of this size (default: the newest).")
  private @Nullable Long size;

  @Option(
      names = "--since",
      paramLabel = "CHECKPOINT",
      description = "Prove that the log continues the one of this checkpoint file.")
  private @Nullable Path since;

  @Option(names = "--out", paramLabel = "FILE", description = "Write it here, not to the console.")
  private @Nullable Path out;

  @Override
  int on(Cambium cambium, Console console) throws IOException {
    if ((record == null) == (since == null)) {
      throw usage("name a record, or a checkpoint with --since");
    }
    String proof;
    if (since != null) {
      Checkpoint kept = Checkpoint.open(Files.readString(since), cambium.keys());
      proof = cambium.proveSince(kept.size()).text();
    } else {
      proof =
          cambium
              .prove(
                  java.util.Objects.requireNonNull(record),
                  size == null ? OptionalLong.empty() : OptionalLong.of(size))
              .text();
    }
    console.file(out, proof);
    return ExitCode.DONE;
  }
}
