package dev.cambium.bench.peer;

import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.cambium.artifact.huggingface.LoraConfig;
import dev.cambium.engine.Engine;
import dev.cambium.engine.LanguageModel;
import dev.cambium.engine.decoder.Decoder;
import dev.cambium.engine.decoder.LoraAdapter;
import dev.cambium.engine.generation.Completion;
import dev.cambium.engine.generation.Generator;
import dev.cambium.engine.generation.Sampling;
import dev.cambium.engine.training.DataMix;
import dev.cambium.engine.training.TokenRow;
import dev.cambium.engine.training.Trainer;
import dev.cambium.engine.training.TrainingReport;
import dev.cambium.model.Application;
import dev.cambium.model.Item;
import dev.cambium.model.Message;
import dev.cambium.model.Outcome;
import dev.cambium.model.Progress;
import dev.cambium.model.Recipe;
import dev.cambium.model.Scorer;
import dev.cambium.model.ScorerKind;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Cambium's side: does a {@link Task} once for every line on its input, and answers with a line
 * that begins with {@code @@}. Main: {@code CambiumWorker TASK.json}.
 */
final class CambiumWorker {

  private static final JsonMapper JSON = JsonMapper.builder().build();

  private CambiumWorker() {}

  /** One run of the work; gives units done and what came of it. */
  private interface Job {
    Reply run();
  }

  public static void main(String[] arguments) throws IOException {
    Task task = JSON.readValue(Path.of(arguments[0]).toFile(), Task.class);
    Job job = job(task);
    BufferedReader lines =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    System.out.println("@@ ready");
    while (lines.readLine() != null) {
      Reply reply = job.run();
      System.out.println(
          "@@ "
              + JSON.writeValueAsString(
                  new Reply(
                      reply.seconds(),
                      reply.processorSeconds(),
                      reply.units(),
                      reply.answer(),
                      peakBytes())));
    }
  }

  private static Job job(Task task) {
    Path model = Path.of(task.model());
    return switch (task.work()) {
      case FULL_TRAINING, LORA_FP32, LORA_BF16 -> {
        Decoder decoder = Decoder.load(model);
        yield () -> train(task, decoder);
      }
      case DECODE_1, DECODE_16 -> {
        Decoder decoder = Decoder.load(model);
        yield () -> generate(task, decoder);
      }
      case CHOICES, EVALUATION -> {
        Application application =
            task.system().isEmpty()
                ? null
                : new Application(task.system(), null, List.of(), task.newTokens(), 0);
        LanguageModel loaded = Engine.open().load(model, null, application);
        yield () -> evaluate(task, loaded);
      }
      case LOAD -> {
        Engine.open();
        yield () -> load(task, model);
      }
    };
  }

  private static Recipe recipe(Task task) {
    Recipe.Lora lora = task.work().isLora() ? new Recipe.Lora(8, 16, List.of()) : null;
    return new Recipe(
            lora == null ? Recipe.Method.FULL : Recipe.Method.LORA,
            lora,
            task.steps(),
            task.rows().size(),
            1,
            512,
            1e-3,
            0,
            Recipe.Schedule.CONSTANT,
            0,
            1,
            0)
        .withPrecision(
            task.work() == Work.LORA_BF16 ? Recipe.Precision.BF16 : Recipe.Precision.FP32);
  }

  private static Reply train(Task task, Decoder decoder) {
    List<TokenRow> rows = new ArrayList<>();
    int[][] ids = task.rowArrays();
    for (int i = 0; i < ids.length; i++) {
      rows.add(TokenRow.from(ids[i], task.supervisedFrom().get(i)));
    }
    Recipe recipe = recipe(task);
    Trainer trainer = Trainer.builder(recipe).build();
    DataMix mix = DataMix.of(rows);
    TrainingReport report;
    Clock clock = new Clock();
    if (recipe.lora() == null) {
      try (Decoder copy = decoder.copy()) {
        report = trainer.train(copy, mix);
      }
    } else {
      try (LoraAdapter adapter =
          LoraAdapter.random(decoder.config(), LoraConfig.of(recipe.lora()), 1)) {
        report = trainer.train(decoder, adapter, mix);
      }
    }
    clock.stop();
    String loss = String.format(Locale.ROOT, "%.5f", report.losses()[0]);
    return clock.reply(report.tokens(), List.of(loss));
  }

  private static Reply generate(Task task, Decoder decoder) {
    List<int[]> prompts = Arrays.asList(task.rowArrays());
    Clock clock = new Clock();
    List<Completion> answers =
        new Generator(decoder, task.stops())
            .generate(prompts, Sampling.greedy(task.newTokens()), done -> {});
    clock.stop();
    int tokens = answers.stream().mapToInt(a -> a.ids().length).sum();
    return clock.reply(tokens, answers.stream().map(a -> text(a.ids())).toList());
  }

  private static String text(int[] ids) {
    return Arrays.stream(ids).mapToObj(Integer::toString).collect(Collectors.joining(" "));
  }

  private static Reply evaluate(Task task, LanguageModel model) {
    boolean choose = task.work() == Work.CHOICES;
    List<Item> items = new ArrayList<>();
    for (String question : task.questions()) {
      items.add(
          new Item(
              "item-" + items.size(),
              null,
              List.of(Message.user(question)),
              choose ? task.choices().get(0) : "an answer",
              choose ? task.choices() : List.of(),
              Map.of()));
    }
    Scorer scorer =
        choose
            ? Scorer.of(ScorerKind.CHOICE)
            : new Scorer(ScorerKind.EXACT_MATCH, task.newTokens(), null);
    Clock clock = new Clock();
    List<Outcome> outcomes = model.evaluate(items, scorer, Progress.NONE);
    clock.stop();
    return clock.reply(items.size(), outcomes.stream().map(o -> o.output().strip()).toList());
  }

  private static Reply load(Task task, Path path) {
    Clock clock = new Clock();
    StringBuilder answer = new StringBuilder();
    try (LanguageModel model = Engine.open().load(path, null, null)) {
      answer.append(
          model.chat(
              List.of(Message.user(task.questions().get(0))), Sampling.greedy(1), piece -> {}));
      clock.stop();
    }
    return clock.reply(1, List.of(answer.toString()));
  }

  /** Measures a run. */
  private static final class Clock {
    private final long start = System.nanoTime();
    private final long processorStart = processor();
    private long end;
    private long processorEnd;

    private static long processor() {
      return ((com.sun.management.OperatingSystemMXBean)
              java.lang.management.ManagementFactory.getOperatingSystemMXBean())
          .getProcessCpuTime();
    }

    void stop() {
      end = System.nanoTime();
      processorEnd = processor();
    }

    Reply reply(double units, List<String> answer) {
      return new Reply(
          (end - start) / 1e9, (processorEnd - processorStart) / 1e9, units, answer, 0);
    }
  }

  /** Where the operating system tells; otherwise 0. */
  static long peakBytes() {
    @Nullable String line = null;
    try (var lines = Files.lines(Path.of("/proc/self/status"))) {
      line = lines.filter(l -> l.startsWith("VmHWM:")).findFirst().orElse(null);
    } catch (IOException e) {
      return 0;
    }
    return line == null ? 0 : Long.parseLong(line.replaceAll("\\D", "")) * 1024;
  }
}
