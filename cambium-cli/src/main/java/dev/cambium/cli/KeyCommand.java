package dev.cambium.cli;

import dev.cambium.ledger.VerifierKey;
import dev.cambium.loop.Cambium;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code cambium key}. */
@Command(
    name = "key",
    subcommands = KeyCommand.Rotate.class,
    description = {
      "Show the public keys that the ledger was and is signed with.",
      "Give the newest to whoever is to check proofs, statements and checkpoints."
    },
    footerHeading = "%nExamples:%n",
    footer = {"  cambium key", "  cambium key rotate --reason 'a laptop was stolen'"})
final class KeyCommand extends Subcommand.OnEcosystem {

  @Override
  int on(Cambium cambium, Console console) {
    List<String> keys = cambium.keys().all().stream().map(VerifierKey::toString).toList();
    if (console.json()) {
      Map<String, Object> told = new LinkedHashMap<>();
      told.put("key", cambium.keys().current().toString());
      told.put("all", keys);
      console.json(told);
    } else {
      keys.forEach(key -> console.line("%s", key));
    }
    return ExitCode.DONE;
  }

  /** {@code cambium key rotate}. */
  @Command(
      name = "rotate",
      description = {
        "Replace the signing key. The old one signs the new one, once, in the log itself;",
        "what it signed before stays valid. The old private key is deleted."
      },
      footerHeading = "%nExamples:%n",
      footer = {"  cambium key rotate --reason 'a laptop was stolen'"})
  static final class Rotate extends Subcommand.OnEcosystem {

    @Option(
        names = "--reason",
        paramLabel = "TEXT",
        defaultValue = "",
        description = "Why, for the record.")
    private String reason = "";

    @Override
    int on(Cambium cambium, Console console) {
      VerifierKey key = cambium.rotateKey(reason);
      if (console.json()) {
        console.json(Map.of("key", key.toString()));
      } else {
        console.line("The ledger is signed from now on by");
        console.line("%s", key);
      }
      return ExitCode.DONE;
    }
  }
}
