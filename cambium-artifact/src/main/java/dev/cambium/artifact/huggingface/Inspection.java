package dev.cambium.artifact.huggingface;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.cambium.artifact.safetensors.DType;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What is in a safetensors file, a model directory or an adapter directory, and whether it would be
 * let in.
 *
 * @param location the path looked at
 * @param architecture as the configuration names it, such as {@code LlamaForCausalLM}; for an
 *     adapter its type, such as {@code LORA}; empty if it says nothing
 * @param parameters elements in all tensors together
 * @param dtypes types of the tensors
 * @param size bytes of all {@code files}
 * @param facts what else a person would ask, by name: layers, width, context, rank, …
 * @param files what a version made of this would consist of, by name
 * @param ignored names of files and folders that are not read, and would not become part of it
 * @param tensors by name
 * @param problems refusals first
 */
public record Inspection(
    String location,
    Kind kind,
    String architecture,
    long parameters,
    SortedSet<DType> dtypes,
    long size,
    SortedMap<String, String> facts,
    List<ContentFile> files,
    List<String> ignored,
    List<TensorSummary> tensors,
    List<Problem> problems) {

  /** What was looked at. */
  public enum Kind {
    /** A Hugging Face model directory. */
    @JsonProperty("model")
    MODEL,
    /** A PEFT adapter directory. */
    @JsonProperty("adapter")
    ADAPTER,
    /** One safetensors file. */
    @JsonProperty("file")
    FILE,
    /** None of these. */
    @JsonProperty("unknown")
    UNKNOWN
  }

  /**
   * A file of the version.
   *
   * @param size in bytes
   */
  public record ContentFile(String name, long size) {}

  /**
   * A tensor.
   *
   * @param file the file it lies in
   * @param shape sizes, outermost first
   */
  public record TensorSummary(String file, String name, DType dtype, List<Long> shape) {}

  public Inspection {
    dtypes = Collections.unmodifiableSortedSet(new TreeSet<>(dtypes));
    facts = Collections.unmodifiableSortedMap(new TreeMap<>(facts));
    files = List.copyOf(files);
    ignored = List.copyOf(ignored);
    tensors = List.copyOf(tensors);
    problems = List.copyOf(problems);
  }

  /** The same with what others found; refusals come first again. */
  public Inspection with(List<Problem> more) {
    List<Problem> all = new ArrayList<>(problems);
    all.addAll(more);
    all.sort(Comparator.comparing(Problem::severity));
    return new Inspection(
        location,
        kind,
        architecture,
        parameters,
        dtypes,
        size,
        facts,
        files,
        ignored,
        tensors,
        all);
  }

  /** Whether nothing was refused. */
  @JsonProperty(value = "accepted", access = JsonProperty.Access.READ_ONLY)
  public boolean accepted() {
    return problems.stream().noneMatch(p -> p.severity() == Problem.Severity.REFUSED);
  }

  /** The names of {@code files}. */
  public List<String> paths() {
    return files.stream().map(ContentFile::name).toList();
  }

  /**
   * Looks at whatever lies at a path: a safetensors file, an adapter directory (it holds {@code
   * adapter_config.json}) or a model directory.
   *
   * @throws UncheckedIOException if it cannot be read
   */
  public static Inspection of(Path path) {
    if (Files.isRegularFile(path)) {
      return Weights.inspectFile(path);
    }
    return Files.exists(path.resolve(AdapterDirectory.CONFIG))
        ? AdapterDirectory.inspect(path)
        : ModelDirectory.inspect(path);
  }
}
