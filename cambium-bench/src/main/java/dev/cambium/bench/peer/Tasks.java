package dev.cambium.bench.peer;

import dev.cambium.artifact.huggingface.DecoderConfig;
import dev.cambium.engine.decoder.Decoder;
import dev.cambium.engine.decoder.Precision;
import dev.cambium.engine.text.RowEncoder;
import dev.cambium.model.Message;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/** Makes the data of every piece of work, the same at every call. */
final class Tasks {

  private static final List<String> INTENTS =
      List.of(
          "account blocked",
          "balance",
          "bill balance",
          "bill due",
          "freeze account",
          "interest rate",
          "min payment",
          "order checks",
          "pay bill",
          "pin change",
          "report fraud",
          "routing",
          "spending history",
          "transactions",
          "transfer");

  private static final List<String> OPENINGS =
      List.of(
          "please",
          "hello,",
          "good morning,",
          "i need help:",
          "quick question:",
          "sorry, but",
          "hi,");
  private static final List<String> ACTS =
      List.of(
          "can you tell me how to check",
          "why was i charged for",
          "i would like to cancel",
          "when will i get",
          "somebody has stolen",
          "i cannot find",
          "what do i have to pay for");
  private static final List<String> THINGS =
      List.of(
          "my new card",
          "the transfer to my landlord",
          "the bill of last month",
          "my savings account",
          "a payment in another currency",
          "the interest on my loan",
          "two checks",
          "the code that you sent me");
  private static final List<String> ENDINGS =
      List.of(
          "?",
          ", since it is urgent?",
          " before the end of the week?",
          " from my phone?",
          ", it does not work for me",
          " and how long will it take?");

  private static final String HELP_DESK =
      "You are the help desk of a bank. Name the intent of the customer's question and nothing else."
          + " The intents are: "
          + String.join(", ", INTENTS)
          + ".";

  private final Path directory;
  private final SplittableRandom random = new SplittableRandom(7);

  /**
   * Tasks.
   *
   * @param directory for models that are made for a task
   */
  Tasks(Path directory) {
    this.directory = directory;
  }

  private String pick(List<String> of) {
    return of.get(random.nextInt(of.size()));
  }

  private String question() {
    return pick(OPENINGS) + " " + pick(ACTS) + " " + pick(THINGS) + pick(ENDINGS);
  }

  /** The task of a work on a model. */
  Task of(Work work, Path model) throws IOException {
    if (work == Work.FULL_TRAINING) {
      return fullTraining();
    }
    try (RowEncoder encoder = RowEncoder.load(model)) {
      return switch (work) {
        case FULL_TRAINING -> throw new AssertionError(work);
        case LORA_FP32, LORA_BF16 -> lora(work, model, encoder);
        case DECODE_1 -> decode(work, model, encoder, 1);
        case DECODE_16 -> decode(work, model, encoder, 16);
        case CHOICES -> choices(model, encoder);
        case EVALUATION -> evaluation(model, encoder);
        case LOAD ->
            task(work, model, 1, List.of(), List.of(), 1, List.of(), "", List.of("What is 2 + 2?"));
      };
    }
  }

  private static Task task(
      Work work,
      Path model,
      int steps,
      List<List<Integer>> rows,
      List<Integer> supervisedFrom,
      int newTokens,
      List<Integer> stops,
      String system,
      List<String> questions) {
    return new Task(
        work,
        model.toAbsolutePath().toString(),
        "plain",
        1,
        steps,
        rows,
        supervisedFrom,
        newTokens,
        stops,
        system,
        questions,
        INTENTS,
        List.of());
  }

  private Task fullTraining() {
    DecoderConfig config =
        DecoderConfig.builder()
            .hiddenSize(192)
            .intermediateSize(512)
            .layers(6)
            .heads(6)
            .keyValueHeads(6)
            .vocabularySize(4096)
            .maxPositions(128)
            .build();
    Path model = directory.resolve("small-model");
    try (Decoder decoder = Decoder.random(config, 3)) {
      decoder.save(model, Precision.F32);
    }
    List<List<Integer>> rows = new ArrayList<>();
    for (int i = 0; i < 32; i++) {
      rows.add(random.ints(64, 0, 4096).boxed().toList());
    }
    List<Integer> from = rows.stream().map(r -> 1).toList();
    return task(Work.FULL_TRAINING, model, 10, rows, from, 0, List.of(), "", List.of());
  }

  private Task lora(Work work, Path model, RowEncoder encoder) {
    List<List<Integer>> rows = new ArrayList<>();
    List<Integer> from = new ArrayList<>();
    for (int i = 0; i < 16; i++) {
      List<Message> question = List.of(Message.system("Bank."), Message.user(question()));
      List<Message> answered = new ArrayList<>(question);
      answered.add(Message.assistant(pick(INTENTS)));
      rows.add(boxed(encoder.conversation(answered, List.of(), 512).ids()));
      from.add(encoder.prompt(question, List.of()).length);
    }
    return task(work, model, 2, rows, from, 0, List.of(), "", List.of());
  }

  private Task decode(Work work, Path model, RowEncoder encoder, int count) {
    List<List<Integer>> rows = new ArrayList<>();
    while (rows.size() < count) {
      StringBuilder text = new StringBuilder();
      int[] ids;
      do {
        text.append(question()).append('\n');
        ids = encoder.tokenizer().encodePlain(text.toString());
      } while (ids.length < 64);
      rows.add(boxed(Arrays.copyOf(ids, 64)));
    }
    return task(work, model, 1, rows, List.of(), 64, List.of(), "", List.of());
  }

  private Task choices(Path model, RowEncoder encoder) {
    List<List<Integer>> rows = new ArrayList<>();
    List<String> questions = new ArrayList<>();
    List<List<List<Integer>>> continuations = new ArrayList<>();
    for (int tries = 0; rows.size() < 8; tries++) {
      String question = question();
      List<Message> messages = List.of(Message.user(question));
      int[] prompt = encoder.prompt(messages, List.of());
      // A template with a long instruction of its own leaves no room for 40: then as it comes.
      if (prompt.length != 40 && tries < 2_000) {
        continue;
      }
      List<List<Integer>> tails = new ArrayList<>();
      for (String choice : INTENTS) {
        List<Message> answered = List.of(messages.get(0), Message.assistant(choice));
        int[] whole = encoder.conversation(answered, List.of(), 512).ids();
        tails.add(boxed(Arrays.copyOfRange(whole, prompt.length, whole.length)));
      }
      questions.add(question);
      rows.add(boxed(prompt));
      continuations.add(tails);
    }
    Task task = task(Work.CHOICES, model, 1, rows, List.of(), 0, List.of(), "", questions);
    return new Task(
        task.work(),
        task.model(),
        task.variant(),
        task.threads(),
        task.steps(),
        rows,
        List.of(),
        0,
        List.of(),
        "",
        questions,
        INTENTS,
        continuations);
  }

  private Task evaluation(Path model, RowEncoder encoder) {
    List<List<Integer>> rows = new ArrayList<>();
    List<String> questions = new ArrayList<>();
    for (int i = 0; i < 150; i++) {
      String question = question();
      questions.add(question);
      rows.add(
          boxed(
              encoder.prompt(
                  List.of(Message.system(HELP_DESK), Message.user(question)), List.of())));
    }
    return task(
        Work.EVALUATION,
        model,
        1,
        rows,
        List.of(),
        16,
        encoder.tokenizer().stopIds().stream().sorted().toList(),
        HELP_DESK,
        questions);
  }

  private static List<Integer> boxed(int[] ids) {
    return Arrays.stream(ids).boxed().toList();
  }
}
