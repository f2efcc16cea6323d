package dev.cambium.bench.fire;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.cambium.loop.action.Job;
import dev.cambium.loop.action.JobExecutor;
import dev.cambium.model.Action;
import dev.cambium.model.Application;
import dev.cambium.model.Digest;
import dev.cambium.model.FileEntry;
import dev.cambium.model.Item;
import dev.cambium.model.Json;
import dev.cambium.model.Judgement;
import dev.cambium.model.Outcome;
import dev.cambium.model.Progress;
import dev.cambium.model.Recipe;
import dev.cambium.model.Row;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A trainer whose models are tables from what is asked to what is answered: training adds rows, an
 * adapter lies over its model, a transplant carries what the tuned table has beyond its old base.
 * It keeps the contract of job directories, in a millisecond.
 */
class TableTrainer implements JobExecutor {

  /** Tag of rows and items that the table is asked by. */
  static final String KEY = "key";

  private static final String TABLE = "table.json";
  private static final String ADAPTER = "adapter_config.json";

  private record Result(
      double seconds, @JsonInclude(JsonInclude.Include.NON_EMPTY) List<FileEntry> files) {}

  @Override
  public String fingerprint() {
    return "tables";
  }

  @Override
  public void execute(Path directory, Progress progress) {
    try {
      Path out = directory.resolve("out");
      Job job = Json.read(Files.readAllBytes(directory.resolve("action.json")), Job.class);
      byte[] result;
      if (job.action() instanceof Action.Align) {
        result =
            Json.canonical(
                java.util.Map.of("error", "nothing to align in a table", "seconds", 0.5));
      } else {
        carryOut(directory, out);
        result = Json.canonical(new Result(0.5, files(out)));
      }
      Path building = directory.resolve("result.json.new");
      Files.write(building, result);
      Files.move(
          building, directory.resolve("result.json"), java.nio.file.StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Writes the outputs of a job, and no result. */
  void carryOut(Path directory, Path out) throws IOException {
    Job job = Json.read(Files.readAllBytes(directory.resolve("action.json")), Job.class);
    Path version = out.resolve("version");
    if (job.action() instanceof Action.Train train) {
      write(version, train(job, train), train.recipe().method() == Recipe.Method.LORA);
    } else if (job.action() instanceof Action.Transplant transplant) {
      write(version, transplant(job, transplant), adapter(job.tuned()));
    } else if (job.action() instanceof Action.Distill distill) {
      write(version, distill(job, distill), distill.recipe().method() == Recipe.Method.LORA);
    } else if (job.action() instanceof Action.Evaluate evaluate) {
      Files.createDirectories(out);
      Files.write(out.resolve("outcomes.jsonl"), evaluate(job, evaluate));
    }
  }

  private static SortedMap<String, String> train(Job job, Action.Train train) throws IOException {
    SortedMap<String, String> table =
        table(train.recipe().method() == Recipe.Method.FULL ? job.model() : job.adapter());
    for (Action.DataShare share : train.mix()) {
      for (String line : Files.readAllLines(Path.of(file(job, share.data())))) {
        Row row = Json.read(line.getBytes(StandardCharsets.UTF_8), Row.class);
        table.put(row.tags().getOrDefault(KEY, "?"), row.messages().get(1).content());
      }
    }
    table.put("#seed", Long.toString(train.seed()));
    return table;
  }

  private static SortedMap<String, String> distill(Job job, Action.Distill distill)
      throws IOException {
    SortedMap<String, String> table =
        table(distill.recipe().method() == Recipe.Method.FULL ? job.model() : job.adapter());
    SortedMap<String, String> teacher = table(job.newBase());
    teacher.putAll(table(job.tuned()));
    for (Action.DataShare share : distill.mix()) {
      for (String line : Files.readAllLines(Path.of(file(job, share.data())))) {
        Row row = Json.read(line.getBytes(StandardCharsets.UTF_8), Row.class);
        String asked = row.tags().getOrDefault(KEY, "?");
        table.put(asked, teacher.getOrDefault(asked, "?"));
      }
    }
    table.put("#distilled", Long.toString(distill.seed()));
    return table;
  }

  private static SortedMap<String, String> transplant(Job job, Action.Transplant transplant)
      throws IOException {
    SortedMap<String, String> tuned = table(job.tuned());
    SortedMap<String, String> table = adapter(job.tuned()) ? tuned : table(job.newBase());
    if (!adapter(job.tuned())) {
      SortedMap<String, String> old = table(job.model());
      tuned.forEach(
          (asked, answer) -> {
            if (!answer.equals(old.get(asked))) {
              table.put(asked, answer);
            }
          });
    }
    table.put("#alpha", Double.toString(transplant.alpha()));
    return table;
  }

  private static byte[] evaluate(Job job, Action.Evaluate evaluate) throws IOException {
    SortedMap<String, String> table = table(job.model());
    table.putAll(table(job.adapter()));
    String file = job.application();
    Application application =
        file == null ? null : Json.read(Files.readAllBytes(Path.of(file)), Application.class);
    StringBuilder outcomes = new StringBuilder();
    List<String> lines = Files.readAllLines(Path.of(file(job, evaluate.suite())));
    for (String line : lines.subList(evaluate.from(), evaluate.to())) {
      Item item = Json.read(line.getBytes(StandardCharsets.UTF_8), Item.class);
      String key = item.tags().getOrDefault(KEY, "?");
      String asked = application == null ? key : application.userTurn(key);
      // Applications differ in what stands before the question; the table knows the question.
      String answer = table.getOrDefault(asked.substring(asked.indexOf('>') + 1), "?");
      boolean right = answer.equals(item.answer());
      Outcome outcome =
          new Outcome(item.id(), right ? Judgement.RIGHT : Judgement.WRONG, right ? 1 : 0, answer);
      outcomes.append(new String(Json.canonical(outcome), StandardCharsets.UTF_8)).append('\n');
    }
    return outcomes.toString().getBytes(StandardCharsets.UTF_8);
  }

  private static String file(Job job, Digest artifact) {
    String file = job.files().get(artifact);
    if (file == null) {
      throw new IllegalArgumentException("the job lacks the file of " + artifact);
    }
    return file;
  }

  private static boolean adapter(@Nullable String directory) {
    return directory != null && Files.exists(Path.of(directory, ADAPTER));
  }

  private static SortedMap<String, String> table(@Nullable String directory) throws IOException {
    SortedMap<String, String> table = new TreeMap<>();
    if (directory != null && Files.exists(Path.of(directory, TABLE))) {
      Json.mapper()
          .readTree(Path.of(directory, TABLE).toFile())
          .properties()
          .forEach(e -> table.put(e.getKey(), e.getValue().asText()));
    }
    return table;
  }

  private static void write(Path directory, SortedMap<String, String> table, boolean adapter)
      throws IOException {
    Files.createDirectories(directory);
    Files.write(directory.resolve(TABLE), Json.canonical(table));
    if (adapter) {
      Files.writeString(directory.resolve(ADAPTER), "{}");
    }
  }

  private static List<FileEntry> files(Path out) throws IOException {
    List<FileEntry> files = new ArrayList<>();
    try (var paths = Files.walk(out)) {
      for (Path path : paths.filter(Files::isRegularFile).sorted().toList()) {
        byte[] bytes = Files.readAllBytes(path);
        files.add(new FileEntry(out.relativize(path).toString(), bytes.length, Digest.of(bytes)));
      }
    }
    return files;
  }

  @Override
  public void close() {}
}
