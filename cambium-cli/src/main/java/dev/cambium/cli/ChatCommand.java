package dev.cambium.cli;

import dev.cambium.engine.Engine;
import dev.cambium.engine.LanguageModel;
import dev.cambium.engine.generation.Sampling;
import dev.cambium.loop.Cambium;
import dev.cambium.loop.Target;
import dev.cambium.model.Message;
import dev.cambium.model.VersionRef;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.Charset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code cambium chat}. */
@Command(
    name = "chat",
    description = {
      "Talk to a version.",
      "With TEXT, answers it and ends; without, reads what you say, line by line, and keeps the"
          + " conversation (an empty line begins a new one). A model without a chat template"
          + " continues the text."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  cambium chat card-desk 'my card is lost'",
      "  cambium chat banking@candidate --temperature 0.8 --max-tokens 40",
      "  echo 'my card is lost' | cambium chat card-desk --json"
    })
final class ChatCommand extends Subcommand.OnEcosystem {

  @Parameters(
      index = "0",
      paramLabel = "LINE[@N|@CHANNEL]",
      converter = Words.TargetWord.class,
      description = "The version.")
  private @Nullable Target target;

  @Parameters(index = "1..*", paramLabel = "TEXT", description = "What you say.")
  private List<String> words = new ArrayList<>();

  @Option(names = "--greedy", description = "Always the likeliest token.")
  private boolean greedy;

  @Option(
      names = "--temperature",
      paramLabel = "T",
      description = "How freely tokens are drawn (default: the application's; greedy without one).")
  private @Nullable Double temperature;

  @Option(
      names = "--max-tokens",
      paramLabel = "N",
      description = "The longest answer (default: the application's, or 64).")
  private @Nullable Integer maxTokens;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "Of what is drawn (default: ${DEFAULT-VALUE}).")
  private long seed;

  @Override
  int on(Cambium cambium, Console console) throws IOException {
    if (greedy && temperature != null) {
      throw usage("--greedy and --temperature exclude each other");
    }
    VersionRef version = cambium.resolve(Objects.requireNonNull(target));
    Cambium.Runnable files = cambium.runnable(version);
    try (LanguageModel model =
        Engine.open().load(files.model(), files.adapter(), files.application())) {
      Sampling usual = model.sampling(seed);
      Sampling sampling =
          new Sampling(
              maxTokens == null ? usual.maxNewTokens() : maxTokens,
              greedy ? 0 : temperature == null ? usual.temperature() : temperature,
              usual.topK(),
              usual.topP(),
              seed);
      if (!words.isEmpty()) {
        turn(model, new ArrayList<>(), String.join(" ", words), sampling, version, console);
      } else {
        converse(model, sampling, version, console);
      }
    }
    return ExitCode.DONE;
  }

  private void converse(LanguageModel model, Sampling sampling, VersionRef version, Console console)
      throws IOException {
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, Charset.defaultCharset()));
    List<Message> conversation = new ArrayList<>();
    if (terminal().input()) {
      console.remark("talking to " + version + "; an empty line begins anew, Ctrl-D ends");
    }
    for (; ; ) {
      if (terminal().input()) {
        console.ask("> ");
      }
      String said = in.readLine();
      if (said == null) {
        return;
      }
      if (said.isBlank()) {
        conversation.clear();
      } else {
        turn(model, conversation, said, sampling, version, console);
      }
    }
  }

  private static void turn(
      LanguageModel model,
      List<Message> conversation,
      String said,
      Sampling sampling,
      VersionRef version,
      Console console) {
    conversation.add(Message.user(said));
    Consumer<String> pieces = console.json() ? piece -> {} : console::piece;
    String answer =
        model.hasTemplate()
            ? model.chat(conversation, sampling, pieces)
            : model.complete(said, sampling, pieces);
    conversation.add(Message.assistant(answer));
    if (console.json()) {
      Map<String, Object> told = new LinkedHashMap<>();
      told.put("version", version);
      told.put("input", said);
      told.put("answer", answer);
      console.json(told);
    } else {
      console.line("");
    }
  }
}
