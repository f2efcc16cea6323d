package dev.cambium.cli;

import dev.cambium.engine.Engine;
import dev.cambium.engine.LanguageModel;
import dev.cambium.engine.ModelInitializer;
import dev.cambium.model.Message;
import dev.cambium.model.Row;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Where the launcher enters once, after a build: does a little of what commands do, so that the
 * classes that they need are in the archive which this process leaves (JEP 350). Main: {@code
 * ClassArchive EMPTY-DIRECTORY}.
 */
final class ClassArchive {

  private ClassArchive() {}

  public static void main(String[] arguments) {
    Path directory = Path.of(arguments[0]);
    PrintWriter out = new PrintWriter(System.out, true, StandardCharsets.UTF_8);
    Main.run(Terminal.ofProcess(), out, out, "init", directory.resolve("ecosystem").toString());
    Path model = directory.resolve("model");
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      rows.add(Row.text("row-" + i, "what is " + i + " and " + (i + 1) + "? it is something"));
    }
    ModelInitializer.Shape shape = new ModelInitializer.Shape(1, 16, 2, 1, 32, 300, 64);
    ModelInitializer.initialize(rows, shape, 1, model);
    try (LanguageModel loaded = Engine.open().load(model, null, null)) {
      String question = "what is 1";
      out.println(
          loaded.hasTemplate()
              ? loaded.chat(List.of(Message.user(question)), loaded.sampling(1), piece -> {})
              : loaded.complete(question, loaded.sampling(1), piece -> {}));
    }
    System.exit(0);
  }
}
