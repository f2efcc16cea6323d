package dev.cambium.cli;

import dev.cambium.artifact.ArtifactAddress;
import dev.cambium.ledger.StoreAddress;
import dev.cambium.loop.Cambium;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code cambium migrate-store}. */
@Command(
    name = "migrate-store",
    description = {
      "Move the ledger between the SQLite file of the ecosystem and a PostgreSQL database.",
      "Every record is compared with where it came from, and all that follows from the records is"
          + " computed anew, before the switch; until then the ledger stays where it is. After an"
          + " interruption, the same command goes on.",
      "The user and password of the database are taken from CAMBIUM_STORE_USER and"
          + " CAMBIUM_STORE_PASSWORD. Artifacts and the signing key stay in the directory.",
      "With --artifacts-to, copy the artifacts instead, between the directory and an object store:"
          + " every one is read back from where it came, and ecosystem.yaml then says where they"
          + " are. Nothing is removed from where they were."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  cambium migrate-store --to jdbc:postgresql://db.example.com/fleet",
      "  cambium migrate-store --to local      back into .cambium/ledger.db",
      "  cambium migrate-store --stay",
      "  cambium migrate-store --artifacts-to s3://fleet-artifacts/bank"
    })
final class MigrateStoreCommand extends Subcommand.AtEcosystem {

  @Option(
      names = "--to",
      paramLabel = "URL",
      description = "Where: a JDBC URL of a PostgreSQL database, or 'local'.")
  private @Nullable String target;

  @Option(
      names = "--stay",
      description = {
        "Let the ledger stay where ecosystem.yaml says that it is: gives up a move that was begun,",
        "and mends a store that says that the ledger was moved when nobody moved it."
      })
  private boolean stay;

  @Option(
      names = "--artifacts-to",
      paramLabel = "ADDRESS",
      description = "Where the artifacts are to lie: s3://BUCKET/PREFIX, or 'local'.")
  private @Nullable String artifacts;

  @Option(
      names = "--peer-is-lost",
      description = "With --stay: the store that the ledger is said to be in is gone for good.")
  private boolean peerIsLost;

  @Override
  int at(Path directory, Console console) {
    int asked = (stay ? 1 : 0) + (target == null ? 0 : 1) + (artifacts == null ? 0 : 1);
    if (asked != 1 || (peerIsLost && !stay)) {
      throw usage(
          "say one of --to URL, --artifacts-to ADDRESS and --stay (with --peer-is-lost, if it is)");
    }
    if (artifacts != null) {
      return artifacts(directory, artifacts, console);
    }
    return target == null ? stay(directory, console) : move(directory, target, console);
  }

  private int stay(Path directory, Console console) {
    boolean mended = Cambium.stay(directory, peerIsLost, InstantSource.system());
    if (console.json()) {
      console.json(Map.of("mended", mended));
    } else {
      console.line(
          mended
              ? "The ledger stays where it is, and takes records again."
              : "The ledger takes records where it is; nothing was changed.");
    }
    return ExitCode.DONE;
  }

  private static int artifacts(Path directory, String to, Console console) {
    Cambium.ArtifactsMoved done =
        Cambium.moveArtifacts(
            directory, to, System.getenv(), InstantSource.system(), console.progress());
    if (console.json()) {
      Map<String, Object> told = new LinkedHashMap<>();
      told.put("from", done.from().toString());
      told.put("to", to);
      told.put("objects", done.moved().objects());
      told.put("copied", done.moved().copied());
      told.put("bytes", done.moved().bytes());
      told.put("declared", done.declared());
      console.json(told);
      return ExitCode.DONE;
    }
    console.line(
        "The artifacts lie in %s: %s, every one read back from there; %d copied now.",
        to, Texts.count(done.moved().objects(), "object"), done.moved().copied());
    console.line("Those in %s are left; nothing reads them any more.", done.from());
    if (!done.declared()) {
      console.remark("set " + ArtifactAddress.VARIABLE + "=" + to + " wherever Cambium runs");
    }
    return ExitCode.DONE;
  }

  private static int move(Path directory, String to, Console console) {
    Cambium.StoreMoved done =
        Cambium.moveStore(directory, to, InstantSource.system(), console.progress());
    if (console.json()) {
      Map<String, Object> told = new LinkedHashMap<>();
      told.put("from", done.from().toString());
      told.put("to", to);
      told.put("records", done.moved().records());
      told.put("copied", done.moved().copied());
      told.put("checkpoints", done.moved().checkpoints());
      told.put("root", done.moved().root().map(Object::toString).orElse(null));
      told.put("declared", done.declared());
      console.json(told);
      return ExitCode.DONE;
    }
    console.line(
        "The ledger lies in %s: %s, %s, every one compared.",
        to,
        Texts.count(done.moved().records(), "record"),
        Texts.count(done.moved().checkpoints(), "checkpoint"));
    done.moved().root().ifPresent(root -> console.line("Root of the log: %s", root));
    if (!done.declared()) {
      console.remark("set " + StoreAddress.URL_VARIABLE + "=" + to + " wherever Cambium runs");
    }
    return ExitCode.DONE;
  }
}
