package dev.cambium.cli;

import dev.cambium.model.Json;
import dev.cambium.story.Demo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code cambium demo}. */
@Command(
    name = "demo",
    description = {
      "Build a small but real fleet for a bank's help desk and take it through its life: new data,"
          + " a poisoned delivery, a new foundation, a rollback, a forgery.",
      "Everything is generated, trained, measured and decided here; nothing is scripted. It can be"
          + " interrupted and started again."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  cambium demo                       a few minutes on two cores",
      "  cambium demo --quick               smaller models, under 90 seconds",
      "  cambium demo --seed 7 --dir /tmp/bank",
      "  cambium demo --foundation ~/models/SmolLM2-135M-Instruct"
    })
final class DemoCommand extends Subcommand {

  @Option(
      names = {"-d", "--dir"},
      paramLabel = "DIR",
      defaultValue = "cambium-demo",
      description = "Where: absent, empty, or an unfinished demo (default: ./${DEFAULT-VALUE}).")
  private Path directory = Path.of("cambium-demo");

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "Of all data and training (default: ${DEFAULT-VALUE}).")
  private long seed;

  @Option(names = "--quick", description = "Smaller models and less data.")
  private boolean quick;

  @Option(
      names = "--foundation",
      paramLabel = "MODEL",
      description =
          "Build the fleet on this instruction-tuned model, a Hugging Face directory, instead of a"
              + " small one made from nothing. Takes longer the larger it is; says how long first.")
  private @Nullable Path foundation;

  @Override
  public Integer call() throws IOException {
    Path root = directory.toAbsolutePath().normalize();
    try (Console console = console()) {
      Demo.Options options = new Demo.Options(root, seed, quick, foundation, actor());
      Demo demo =
          new Demo(
              options,
              console.progress(),
              line -> {
                Logs.to(root);
                if (console.json()) {
                  console.remark(line);
                } else {
                  console.line("%s", line);
                }
              });
      Demo.Ending ending = demo.run();
      if (console.json()) {
        console.json(Json.mapper().readTree(Files.readAllBytes(ending.report())));
      } else {
        console.line("");
        console.line("Look at  %s", console.tone(Console.Tone.STRONG, ending.page().toString()));
        console.line("         %s", ending.report());
        console.line("Go on with  cambium status --dir %s", directory);
      }
      if (!ending.asExpected()) {
        console.remark("not every wave ended as its cause suggests; the report says which");
      }
      return ending.asExpected() ? ExitCode.DONE : ExitCode.OTHER;
    }
  }
}
