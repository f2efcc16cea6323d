package dev.cambium.bench;

import com.sun.management.ThreadMXBean;
import dev.cambium.artifact.huggingface.AdapterDirectory;
import dev.cambium.artifact.safetensors.SafetensorsException;
import dev.cambium.artifact.safetensors.SafetensorsFile;
import dev.cambium.engine.text.ChatTemplate;
import dev.cambium.engine.text.TemplateException;
import dev.cambium.ledger.Checkpoint;
import dev.cambium.ledger.ConsistencyProof;
import dev.cambium.ledger.Envelope;
import dev.cambium.ledger.KeyHistory;
import dev.cambium.ledger.Ledger;
import dev.cambium.ledger.RecordProof;
import dev.cambium.loop.action.ActionFailedException;
import dev.cambium.loop.action.JobResult;
import dev.cambium.loop.data.DataException;
import dev.cambium.loop.data.RowFile;
import dev.cambium.loop.declaration.Declaration;
import dev.cambium.loop.declaration.DeclarationException;
import dev.cambium.model.Digest;
import dev.cambium.model.Fact;
import dev.cambium.model.Json;
import dev.cambium.model.Message;
import dev.cambium.model.Record;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Gives everything that reads what comes from outside inputs that are almost right: seeds with bits
 * flipped, pieces dropped, doubled, swapped between seeds, and telling tokens put in. An input may
 * be accepted, or refused by an exception that the reader documents. Anything else is a finding:
 * any other exception or error, more than a second of processor time, more allocation than {@link
 * #ALLOWED_BASE} and {@link #ALLOWED_PER_BYTE} for each byte of the input (a template, which is a
 * program, has a limit of its own).
 *
 * <p>Main: {@code Fuzz [INPUTS] [SEED] [TARGET]}: that many inputs for each target, or the one.
 */
public final class Fuzz {

  /** Bytes that a reader may allocate whatever its input: its buffers and tables. */
  static final long ALLOWED_BASE = 8 << 20;

  /** And for each byte of input. Most of it is short-lived: errors say where and what. */
  static final long ALLOWED_PER_BYTE = 2_000;

  /** What a template may allocate, since it may loop: it is stopped by steps and by output. */
  static final long ALLOWED_TEMPLATE = 1L << 30;

  private static final long HANG_NANOS = 1_000_000_000;

  private static final String[] TOKENS = {
    "\0",
    "\n",
    "\r\n",
    "\"",
    "\\",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "&a",
    "*a",
    "!!",
    "%",
    "=",
    "==",
    "\ud83d",
    "\u202e",
    "\u001b[31m",
    "../",
    "NaN",
    "-1",
    "0",
    "1e999",
    "9223372036854775808",
    "null",
    "true",
    "{{",
    "}}",
    "{%",
    "%}",
    "for",
    "range(100000000)",
    "'a' * 1000000000",
    "~",
    "\u2014 ",
    "\n\n",
    "\u00a0",
    "\uFEFF",
    "[[[[[[[[",
    "{{{{{{{{",
    "- - - - - -",
    "? ",
    "<<: "
  };

  /** Reads one input. */
  @FunctionalInterface
  interface Reader {
    void read(byte[] input) throws IOException;
  }

  /**
   * Something that reads.
   *
   * @param seeds inputs that are right
   * @param documented the exceptions that may refuse an input
   */
  record Target(
      List<byte[]> seeds,
      List<Class<? extends Exception>> documented,
      long allowed,
      Reader reader) {}

  /** What came of a target's inputs. */
  static final class Result {
    long inputs;
    long accepted;
    long slowestNanos;
    long mostAllocated;
    final List<String> findings = new ArrayList<>();

    @Override
    public String toString() {
      return String.format(
          Locale.ROOT,
          "%9d inputs, %8d accepted, slowest %6.1f ms, most allocated %8.1f kB, %d findings",
          inputs,
          accepted,
          slowestNanos / 1e6,
          mostAllocated / 1e3,
          findings.size());
    }
  }

  private final Map<String, Target> targets = new LinkedHashMap<>();

  /**
   * Prepares the targets.
   *
   * @param directory an empty folder, best in memory: some readers want files
   */
  Fuzz(Path directory) throws IOException {
    Path file = directory.resolve("input");
    Path adapter = Files.createDirectories(directory.resolve("adapter"));
    Files.createDirectories(directory.resolve("suites"));
    Files.writeString(
        directory.resolve("suites/hi.jsonl"), "{\"prompt\":\"hi\",\"answer\":\"hello\"}\n");
    targets.put(
        "safetensors",
        new Target(
            List.of(
                safetensors(
                    "{\"a\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]}}", 16),
                safetensors(
                    "{\"__metadata__\":{\"format\":\"pt\"},\"a\":{\"dtype\":\"BF16\",\"shape\":[3],"
                        + "\"data_offsets\":[0,6]},\"b\":{\"dtype\":\"I64\",\"shape\":[],"
                        + "\"data_offsets\":[6,14]}}",
                    14)),
            List.of(SafetensorsException.class),
            0,
            input -> {
              Files.write(file, input);
              try (SafetensorsFile opened = SafetensorsFile.open(file)) {
                for (String name : opened.tensors().keySet()) {
                  opened.bytes(name);
                }
              }
            }));
    targets.put(
        "ecosystem.yaml",
        text(
            List.of(DeclarationException.class),
            input -> Declaration.parse("ecosystem.yaml", string(input), directory),
            """
            name: bank
            recipes:
              sft: { method: full, steps: 2, batch-rows: 2, max-tokens: 16, learning-rate: 0.001 }
            capabilities:
              hi: { owner: desk, suite: suites/hi.jsonl, scorer: exact-match, floor: 0.5 }
            lines:
              base: { tier: foundation, contract: { capabilities: [hi] } }
              cards: { tier: industrial, parent: base, recipe: sft }
            """,
            "name: x\npolicy: { chunk: 16, seed: 5 }\nlines:\n  base: { tier: foundation }\n"));
    targets.put(
        "rows.jsonl",
        rows(
            directory.resolve("rows.jsonl"),
            "{\"prompt\":\"a\",\"completion\":\"b\"}\n{\"text\":\"c\"}\n",
            "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"assistant\","
                + "\"content\":\"b\"}],\"tags\":{\"t\":\"x\"}}\n"));
    targets.put(
        "rows.csv",
        rows(
            directory.resolve("rows.csv"),
            "prompt,completion\na,b\n\"c\nd\",e\n",
            "text\n\"x, \"\"y\"\"\"\n"));
    String module = "\"base_model.model.model.layers.0.self_attn.q_proj.lora_";
    byte[] weights =
        safetensors(
            "{"
                + module
                + "A.weight\":{\"dtype\":\"F32\",\"shape\":[4,8],\"data_offsets\":[0,128]},"
                + module
                + "B.weight\":{\"dtype\":\"F32\",\"shape\":[8,4],\"data_offsets\":[128,256]}}",
            256);
    Arrays.fill(weights, weights.length - 256, weights.length, (byte) 0x3f); // 0.75 everywhere
    Files.write(adapter.resolve("adapter_model.safetensors"), weights);
    targets.put(
        "adapter_config.json",
        text(
            List.of(IllegalArgumentException.class),
            input -> {
              Files.write(adapter.resolve("adapter_config.json"), input);
              if (!AdapterDirectory.inspect(adapter).accepted()) {
                throw new IllegalArgumentException("refused"); // an inspection throws nothing
              }
            },
            "{\"peft_type\":\"LORA\",\"r\":4,\"lora_alpha\":8,\"target_modules\":[\"q_proj\"],"
                + "\"bias\":\"none\",\"task_type\":\"CAUSAL_LM\",\"base_model_name_or_path\":\"x\"}"));
    Path result = directory.resolve("result.json");
    targets.put(
        "result.json",
        text(
            List.of(ActionFailedException.class),
            input -> {
              Files.write(result, input);
              JobResult.read(result, "train");
            },
            "{\"error\":null,\"seconds\":1.5,\"files\":[{\"path\":\"version/a.json\",\"size\":3,"
                + "\"digest\":\"sha256:"
                + "ab".repeat(32)
                + "\"}]}",
            "{\"error\":\"the loss is not a number\",\"seconds\":0}"));
    List<Message> messages = List.of(new Message("user", "hi"), new Message("assistant", "yes"));
    Target template =
        text(
            List.of(TemplateException.class),
            input ->
                ChatTemplate.of(string(input), Map.of("eos_token", "</s>"))
                    .render(messages, List.of(), true),
            "{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] | trim }}{{ eos_token }}"
                + "{% endfor %}{% if add_generation_prompt %}<|a|>{% endif %}",
            "{% set ns = namespace(n=0) %}{% for m in messages %}{% if loop.first %}{{ m.role }}"
                + "{% endif %}{% set ns.n = ns.n + 1 %}{{ m.content[:2] }}{% endfor %}{{ ns.n }}",
            "{% macro f(x) %}{{ x }}{% endmacro %}{{ f(messages[0]['content']) }}"
                + "{% for i in range(3) %}{{ i }}{% endfor %}");
    targets.put(
        "chat template",
        new Target(template.seeds, template.documented, ALLOWED_TEMPLATE, template.reader));
    evidence(directory.resolve("fleet"));
  }

  private void evidence(Path fleet) {
    try (Ledger ledger = Ledger.create(fleet, InstantSource.system())) {
      Fact fact = new Fact.EcosystemDeclared("x", Digest.ofText("d"), new TreeMap<>());
      for (int i = 0; i < 5; i++) {
        ledger.append("bench", List.of(fact), List.of());
      }
      KeyHistory keys = ledger.keys();
      String note = ledger.state().checkpoint().orElseThrow();
      Checkpoint earlier = Checkpoint.open(ledger.state().checkpoint(3).orElseThrow(), keys);
      List<Class<? extends Exception>> documented = List.of(IllegalArgumentException.class);
      targets.put(
          "checkpoint", text(documented, input -> Checkpoint.open(string(input), keys), note));
      targets.put(
          "proof",
          text(
              documented,
              input -> RecordProof.parse(string(input)).check(keys),
              ledger.prove(2, OptionalLong.empty()).text()));
      targets.put(
          "consistency",
          text(
              documented,
              input -> ConsistencyProof.parse(string(input)).check(earlier, keys),
              ledger.proveSince(3).text()));
      targets.put(
          "envelope",
          text(
              documented,
              input -> Envelope.parse(input).open(keys),
              new String(
                  ledger.sign("text/plain", new byte[] {'h', 'i'}).bytes(),
                  StandardCharsets.UTF_8)));
      targets.put(
          "record",
          text(
              documented,
              input -> Json.read(input, Record.class),
              new String(
                  Json.canonical(ledger.state().record(0).orElseThrow()), StandardCharsets.UTF_8)));
    }
  }

  private static Target rows(Path file, String... seeds) {
    return text(
        List.of(DataException.class),
        input -> {
          Files.write(file, input);
          RowFile.read(file, true);
        },
        seeds);
  }

  private static Target text(
      List<Class<? extends Exception>> documented, Reader reader, String... seeds) {
    return new Target(
        Arrays.stream(seeds).map(seed -> seed.getBytes(StandardCharsets.UTF_8)).toList(),
        documented,
        0,
        reader);
  }

  private static String string(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private static byte[] safetensors(String header, int data) {
    byte[] json = header.getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(8 + json.length + data)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(json.length)
        .put(json)
        .array();
  }

  List<String> names() {
    return List.copyOf(targets.keySet());
  }

  public static void main(String[] arguments) throws IOException {
    long inputs = arguments.length > 0 ? Long.parseLong(arguments[0]) : 10_000;
    long seed = arguments.length > 1 ? Long.parseLong(arguments[1]) : System.nanoTime();
    Path memory = Path.of("/dev/shm");
    Path directory =
        Files.isDirectory(memory)
            ? Files.createTempDirectory(memory, "fuzz")
            : Files.createTempDirectory("fuzz");
    Fuzz fuzz = new Fuzz(directory);
    long all = 0;
    boolean found = false;
    for (String name : arguments.length > 2 ? List.of(arguments[2]) : fuzz.names()) {
      Result result = fuzz.run(name, inputs, seed, System.out::println);
      System.out.printf(Locale.ROOT, "%-20s %s (seed %d)%n", name, result, seed);
      all += result.inputs;
      found |= !result.findings.isEmpty();
    }
    System.out.println(all + " inputs in all");
    if (found) {
      System.exit(1);
    }
  }

  Result run(String name, long inputs, long seed, Consumer<String> log) throws IOException {
    Target target = targets.get(name);
    if (target == null) {
      throw new IllegalArgumentException("no target " + name + "; there are " + names());
    }
    Random random = new Random(seed);
    warmUp(target);
    Result result = new Result();
    ThreadMXBean memory = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    for (long i = 0; i < inputs; i++) {
      byte[] input = i < target.seeds.size() ? target.seeds.get((int) i) : mutate(target, random);
      long allocatedBefore = memory.getCurrentThreadAllocatedBytes();
      long start = memory.getCurrentThreadCpuTime();
      Throwable failure = null;
      try {
        target.reader.read(input);
        result.accepted++;
      } catch (Throwable e) { // whatever it is, it is a finding or documented
        failure = e;
      }
      long nanos = memory.getCurrentThreadCpuTime() - start;
      long allocated = memory.getCurrentThreadAllocatedBytes() - allocatedBefore;
      result.inputs++;
      result.slowestNanos = Math.max(result.slowestNanos, nanos);
      result.mostAllocated = Math.max(result.mostAllocated, allocated);
      String finding = finding(target, input, failure, nanos, allocated);
      if (finding != null && result.findings.size() < 20) {
        result.findings.add(finding);
        log.accept(name + ": " + finding);
      }
    }
    return result;
  }

  /**
   * Reads what is right often enough that all classes are loaded, those too that are used after a
   * while (signatures are checked by another library from some number on): what they allocate once
   * is no input's doing.
   */
  private static void warmUp(Target target) throws IOException {
    for (int i = 0; i < 100; i++) {
      for (byte[] seed : target.seeds) {
        try {
          target.reader.read(seed);
        } catch (RuntimeException e) {
          throw new IllegalStateException("a right input is refused", e);
        }
      }
    }
  }

  private static @Nullable String finding(
      Target target, byte[] input, @Nullable Throwable failure, long nanos, long allocated) {
    String what = null;
    if (failure != null && target.documented.stream().noneMatch(type -> type.isInstance(failure))) {
      StackTraceElement[] at = failure.getStackTrace();
      what = failure + (at.length == 0 ? "" : " at " + at[0]);
    } else if (nanos > HANG_NANOS) {
      what = "took " + nanos / 1_000_000 + " ms";
    } else if (allocated
        > (target.allowed > 0 ? target.allowed : ALLOWED_BASE + ALLOWED_PER_BYTE * input.length)) {
      what = "allocated " + allocated + " bytes for " + input.length;
    }
    return what == null
        ? null
        : what + "; input in base 64: " + java.util.Base64.getEncoder().encodeToString(input);
  }

  private static byte[] mutate(Target target, Random random) {
    byte[] input = target.seeds.get(random.nextInt(target.seeds.size())).clone();
    for (int n = 1 + random.nextInt(4); n > 0; n--) {
      int at = random.nextInt(input.length + 1);
      int length = Math.min(input.length - at, 1 + random.nextInt(24));
      switch (random.nextInt(8)) {
        case 0, 1 -> {
          if (at < input.length) {
            input[at] ^= (byte) (1 << random.nextInt(8));
          }
        }
        case 2 -> input = splice(input, at, length, new byte[0]);
        case 3 -> input = splice(input, at, 0, Arrays.copyOfRange(input, at, at + length));
        case 4 -> {
          byte[] token = TOKENS[random.nextInt(TOKENS.length)].getBytes(StandardCharsets.UTF_8);
          input = splice(input, at, random.nextBoolean() ? 0 : Math.min(length, 4), token);
        }
        case 5 -> {
          byte[] other = target.seeds.get(random.nextInt(target.seeds.size()));
          int from = random.nextInt(other.length);
          int to = from + random.nextInt(other.length - from);
          input = splice(input, at, length, Arrays.copyOfRange(other, from, to));
        }
        case 6 -> {
          byte[] some = new byte[1 + random.nextInt(8)];
          random.nextBytes(some);
          input = splice(input, at, Math.min(length, some.length), some);
        }
        default -> {
          byte[] piece = Arrays.copyOfRange(input, at, at + length);
          byte[] repeated = new byte[piece.length * (1 + random.nextInt(40))];
          for (int i = 0; i < repeated.length; i++) {
            repeated[i] = piece[i % piece.length];
          }
          input = splice(input, at, length, repeated);
        }
      }
      if (input.length > 20_000) {
        input = Arrays.copyOf(input, 20_000);
      }
    }
    return input;
  }

  private static byte[] splice(byte[] input, int at, int removed, byte[] put) {
    byte[] spliced = new byte[input.length - removed + put.length];
    System.arraycopy(input, 0, spliced, 0, at);
    System.arraycopy(put, 0, spliced, at, put.length);
    System.arraycopy(input, at + removed, spliced, at + put.length, input.length - at - removed);
    return spliced;
  }
}
