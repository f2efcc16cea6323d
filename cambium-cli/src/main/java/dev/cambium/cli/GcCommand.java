package dev.cambium.cli;

import dev.cambium.artifact.ArtifactStore;
import dev.cambium.loop.Cambium;
import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine.Command;

/** {@code cambium gc}. */
@Command(
    name = "gc",
    description = {
      "Remove what no record can reach, and what can be laid out anew.",
      "Nothing that any version, verdict or action needs is ever removed."
    },
    footerHeading = "%nExamples:%n",
    footer = {"  cambium gc"})
final class GcCommand extends Subcommand.OnEcosystem {

  @Override
  int on(Cambium cambium, Console console) {
    ArtifactStore.Collected collected = cambium.gc();
    if (console.json()) {
      Map<String, Object> told = new LinkedHashMap<>();
      told.put("removed", collected.deleted().size());
      told.put("bytes", collected.bytes());
      told.put("reachable", collected.reachable());
      told.put("young", collected.young());
      console.json(told);
      return ExitCode.DONE;
    }
    console.line(
        "Removed %s, %s. Kept %s that records reach, and %d too young to judge.",
        Texts.count(collected.deleted().size(), "object"),
        Texts.bytes(collected.bytes()),
        Texts.count(collected.reachable(), "object"),
        collected.young());
    return ExitCode.DONE;
  }
}
