package dev.cambium.loop;

import dev.cambium.engine.TrainingResult;
import dev.cambium.engine.training.UpdateSubspace;
import dev.cambium.loop.action.Job;
import dev.cambium.loop.action.JobExecutor;
import dev.cambium.loop.data.RowFile;
import dev.cambium.model.Action;
import dev.cambium.model.Application;
import dev.cambium.model.Digest;
import dev.cambium.model.FileEntry;
import dev.cambium.model.Item;
import dev.cambium.model.Json;
import dev.cambium.model.Judgement;
import dev.cambium.model.Message;
import dev.cambium.model.Outcome;
import dev.cambium.model.Progress;
import dev.cambium.model.Recipe;
import dev.cambium.model.Row;
import dev.cambium.model.Telemetry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BiPredicate;
import org.jspecify.annotations.Nullable;

/**
 * An executor whose models are tables: training adds question → answer, an adapter's table goes
 * over its model's, transplanting adds what the tuned table has beyond the old base's. It keeps the
 * job-directory contract, so that the loop's decisions can be tested in milliseconds; the real
 * engine runs in the tests of the engine and of the command line.
 */
public final class Memorizer implements JobExecutor {

  private static final String TABLE = "table.json";
  private static final String ADAPTER = "adapter_config.json";

  /** Jobs executed so far, over all instances that share it. */
  final List<String> executed;

  /** Dies when this many jobs have been executed; negative for never. */
  int dieAfter = -1;

  /** Kinds of actions that come to nothing. */
  Set<String> refuses = Set.of("align");

  /** Whether an adapter can act on a model, by their directories. */
  BiPredicate<Path, Path> fits = (model, adapter) -> true;

  /** Whether it dies before its last job's result is written, or just after. */
  boolean dieBeforeResult;

  Memorizer(List<String> executed) {
    this.executed = executed;
  }

  /** Dies when that many jobs have been executed; see {@link #dieAfter}. */
  public void dieAfter(int jobs, boolean beforeResult) {
    dieAfter = jobs;
    dieBeforeResult = beforeResult;
  }

  /** The process is gone. */
  public static final class Killed extends Error {
    private static final long serialVersionUID = 1L;
  }

  @Override
  public String fingerprint() {
    return "memorizer";
  }

  @Override
  public int width() {
    return 2;
  }

  @Override
  public synchronized void execute(Path directory, Progress progress) {
    boolean last = dieAfter >= 0 && executed.size() >= dieAfter;
    if (last && dieBeforeResult) {
      throw new Killed();
    }
    try {
      Job job = Json.read(Files.readAllBytes(directory.resolve("action.json")), Job.class);
      Path out = directory.resolve("out");
      if (refuses.contains(job.action().kind())) {
        executed.add(job.action().kind());
        fail(directory, "not with a table");
        return;
      }
      if (job.action() instanceof Action.Evaluate
          && job.adapter() != null
          && !fits.test(Path.of(job.model()), Path.of(job.adapter()))) {
        fail(directory, "the adapter has other shapes");
        return;
      }
      if (job.action() instanceof Action.Train train) {
        write(out.resolve("version"), train(job, train));
        if (train.recipe().method() == Recipe.Method.LORA) {
          Files.writeString(out.resolve("version").resolve(ADAPTER), "{}");
        }
        report(out, train);
      } else if (job.action() instanceof Action.Transplant transplant) {
        write(out.resolve("version"), transplant(job, transplant));
        if (adapter(job.tuned())) {
          Files.writeString(out.resolve("version").resolve(ADAPTER), "{}");
        }
      } else if (job.action() instanceof Action.Answer answer) {
        Files.write(out.resolve("answers.jsonl"), answers(job, answer));
      } else if (job.action() instanceof Action.Consolidate) {
        Map<String, String> table = table(job.model());
        table.putAll(table(job.adapter()));
        write(out.resolve("version"), table);
      } else if (job.action() instanceof Action.Merge merge) {
        write(out.resolve("version"), merge(job, merge));
      } else if (job.action() instanceof Action.Distill distill) {
        write(out.resolve("version"), distill(job, distill));
        if (distill.recipe().method() == Recipe.Method.LORA) {
          Files.writeString(out.resolve("version").resolve(ADAPTER), "{}");
        }
      } else if (job.action() instanceof Action.Evaluate evaluate) {
        Files.write(out.resolve("outcomes.jsonl"), evaluate(job, evaluate));
      }
      executed.add(job.action().kind());
      Files.write(directory.resolve("result.json"), result(out));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    if (last) {
      throw new Killed();
    }
  }

  private static void fail(Path directory, String why) throws IOException {
    Files.write(
        directory.resolve("result.json"), Json.canonical(Map.of("error", why, "seconds", 0.5)));
  }

  private static Map<String, String> train(Job job, Action.Train train) throws IOException {
    Map<String, String> table =
        train.recipe().method() == Recipe.Method.FULL ? table(job.model()) : table(job.adapter());
    for (Action.DataShare share : train.mix()) {
      for (String line : Files.readAllLines(Path.of(job.files().get(share.data())))) {
        Row row = Json.read(line.getBytes(StandardCharsets.UTF_8), Row.class);
        String asked = row.tags().getOrDefault("key", row.messages().get(0).content());
        table.put(asked, row.messages().get(1).content());
      }
    }
    table.put("#seed", Long.toString(train.seed()));
    return table;
  }

  /** A report as the engine writes it; every source of rows is a direction of the update. */
  private static void report(Path out, Action.Train train) throws IOException {
    Telemetry.Ranks ranks = new Telemetry.Ranks(train.mix().size(), 1, 8);
    Telemetry telemetry =
        new Telemetry(
            List.of("m"),
            8,
            List.of(new Telemetry.Point(0, ranks, ranks, 0.25, 2, 1)),
            new Telemetry.Update(0.5, ranks));
    Files.write(
        out.resolve("training.json"),
        Json.canonical(new TrainingResult(List.of(1f), 1, 1, 1, 1, 0, 0, 1, 0, 0.5, telemetry)));
    float[] directions = new float[8 * train.mix().size()];
    for (int i = 0; i < train.mix().size(); i++) {
      directions[9 * i] = 1;
    }
    new UpdateSubspace(Map.of("m", new UpdateSubspace.Basis(train.mix().size(), 8, directions)))
        .write(out.resolve("subspace.safetensors"));
  }

  private static Map<String, String> distill(Job job, Action.Distill distill) throws IOException {
    Map<String, String> table =
        distill.recipe().method() == Recipe.Method.FULL ? table(job.model()) : table(job.adapter());
    Map<String, String> teacher = table(job.newBase());
    teacher.putAll(table(job.tuned()));
    for (Action.DataShare share : distill.mix()) {
      for (String line : Files.readAllLines(Path.of(job.files().get(share.data())))) {
        Row row = Json.read(line.getBytes(StandardCharsets.UTF_8), Row.class);
        String asked = row.tags().getOrDefault("key", row.messages().get(0).content());
        table.put(asked, teacher.getOrDefault(asked, "?"));
      }
    }
    table.put("#distilled", Long.toString(distill.seed()));
    return table;
  }

  private static boolean adapter(@Nullable String directory) {
    return directory != null && Files.exists(Path.of(directory, ADAPTER));
  }

  private static Map<String, String> transplant(Job job, Action.Transplant transplant)
      throws IOException {
    Map<String, String> tuned = table(job.tuned());
    if (adapter(job.tuned())) {
      tuned.put("#alpha", Double.toString(transplant.alpha()));
      return tuned;
    }
    Map<String, String> old = table(job.model());
    Map<String, String> table = table(job.newBase());
    boolean between = transplant.oldBase().equals(transplant.newBase());
    tuned.forEach(
        (asked, answer) -> {
          boolean reached =
              !between || Math.floorMod(asked.hashCode(), 100) < 100 * transplant.alpha();
          if (!answer.equals(old.get(asked)) && reached) {
            table.put(asked, answer);
          }
        });
    table.put("#alpha", Double.toString(transplant.alpha()));
    return table;
  }

  /** Those that the table knows, with a tag that tells them from recorded ones. */
  private static byte[] answers(Job job, Action.Answer answer) throws IOException {
    Map<String, String> table = table(job.model());
    table.putAll(table(job.adapter()));
    List<Row> own = new ArrayList<>();
    for (Row row : RowFile.decode(Files.readAllBytes(Path.of(job.files().get(answer.rows()))))) {
      String said = row.messages().get(1).content();
      if (said.equals(table.get(row.tags().getOrDefault("key", "")))) {
        own.add(
            new Row(
                row.id(),
                null,
                List.of(row.messages().get(0), Message.assistant(said)),
                Map.of("key", row.tags().get("key"), "own", "yes")));
      }
    }
    return RowFile.encode(own);
  }

  /** All that any of them knows; of two answers the last one's. */
  private static Map<String, String> merge(Job job, Action.Merge merge) throws IOException {
    Map<String, String> table = new TreeMap<>();
    for (Action.Source source : merge.sources()) {
      table.putAll(table(job.files().get(source.model())));
      if (source.adapter() != null) {
        table.putAll(table(job.files().get(source.adapter())));
      }
    }
    table.put("#merged", merge.method().toString());
    return table;
  }

  private static byte[] evaluate(Job job, Action.Evaluate evaluate) throws IOException {
    Map<String, String> table = table(job.model());
    table.putAll(table(job.adapter()));
    Application application =
        job.application() == null
            ? null
            : Json.read(Files.readAllBytes(Path.of(job.application())), Application.class);
    StringBuilder outcomes = new StringBuilder();
    List<String> lines = Files.readAllLines(Path.of(job.files().get(evaluate.suite())));
    for (String line : lines.subList(evaluate.from(), evaluate.to())) {
      Item item = Json.read(line.getBytes(StandardCharsets.UTF_8), Item.class);
      String asked = item.tags().getOrDefault("key", item.messages().get(0).content());
      String answer =
          table.getOrDefault(application == null ? asked : framed(application, asked), "?");
      boolean right = answer.equals(item.answer());
      outcomes
          .append(
              new String(
                  Json.canonical(
                      new Outcome(
                          item.id(),
                          right ? Judgement.RIGHT : Judgement.WRONG,
                          right ? 1 : 0,
                          answer)),
                  StandardCharsets.UTF_8))
          .append('\n');
    }
    return outcomes.toString().getBytes(StandardCharsets.UTF_8);
  }

  /** What an application asks; a model that was shown examples knows that it was. */
  private static String framed(Application application, String asked) {
    int shown = application.examples().size();
    return (shown == 0 ? "" : "after " + shown + ": ") + application.userTurn(asked);
  }

  private static Map<String, String> table(@Nullable String directory) throws IOException {
    Path file = directory == null ? null : Path.of(directory, TABLE);
    Map<String, String> table = new TreeMap<>();
    if (file != null && Files.exists(file)) {
      Json.mapper()
          .readTree(file.toFile())
          .properties()
          .forEach(e -> table.put(e.getKey(), e.getValue().asText()));
    }
    return table;
  }

  private static void write(Path directory, Map<String, String> table) throws IOException {
    Files.createDirectories(directory);
    Files.write(directory.resolve(TABLE), Json.canonical(table));
  }

  private static byte[] result(Path out) throws IOException {
    List<FileEntry> files = new ArrayList<>();
    try (var paths = Files.walk(out)) {
      for (Path path : paths.filter(Files::isRegularFile).sorted().toList()) {
        files.add(
            new FileEntry(
                out.relativize(path).toString(),
                Files.size(path),
                Digest.of(Files.readAllBytes(path))));
      }
    }
    return Json.canonical(Map.of("seconds", 0.5, "files", files));
  }

  @Override
  public void close() {}
}
