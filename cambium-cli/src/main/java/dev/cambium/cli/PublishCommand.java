package dev.cambium.cli;

import dev.cambium.ledger.PublishedLog;
import dev.cambium.loop.Cambium;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code cambium publish}. */
@Command(
    name = "publish",
    description = {
      "Write the log as static files that any web server can serve (C2SP tlog-tiles).",
      "Run it again to bring them up to date. Records are published as they are: see"
          + " cambium log --json first."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  cambium publish /srv/www/log",
      "  cambium verify --published /srv/www/log --key ledger.pub"
    })
final class PublishCommand extends Subcommand.OnEcosystem {

  @Parameters(index = "0", paramLabel = "DIR", description = "Where to.")
  private @Nullable Path target;

  @Override
  int on(Cambium cambium, Console console) {
    Path directory = Objects.requireNonNull(target);
    PublishedLog.Published published = cambium.publish(directory);
    if (console.json()) {
      Map<String, Object> told = new LinkedHashMap<>();
      told.put("size", published.size());
      told.put("files", published.files());
      told.put("too-long", published.tooLong());
      console.json(told);
      return ExitCode.DONE;
    }
    console.line(
        "%s in %s, %s written.",
        Texts.count(published.size(), "record"), directory, Texts.count(published.files(), "file"));
    if (!published.tooLong().isEmpty()) {
      console.line(
          "The format has no room for entries over 65,535 bytes; bundles with these records were"
              + " left out: %s",
          published.tooLong());
    }
    return ExitCode.DONE;
  }
}
