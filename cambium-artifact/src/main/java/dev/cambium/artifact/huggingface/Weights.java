package dev.cambium.artifact.huggingface;

import dev.cambium.artifact.safetensors.DType;
import dev.cambium.artifact.safetensors.SafetensorsException;
import dev.cambium.artifact.safetensors.SafetensorsFile;
import dev.cambium.artifact.safetensors.TensorInfo;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The tensors of one directory's safetensors files, opened together. */
final class Weights implements AutoCloseable {

  private static final Set<DType> SUPPORTED = Set.of(DType.F32, DType.F16, DType.BF16);

  private final Findings findings;
  private final List<SafetensorsFile> open = new ArrayList<>();
  private final SortedMap<String, Place> tensors = new TreeMap<>();

  private record Place(String file, SafetensorsFile in, TensorInfo info) {}

  Weights(Findings findings) {
    this.findings = findings;
  }

  /** Looks at a file by itself: its form and its values, with no configuration to compare with. */
  static Inspection inspectFile(Path file) {
    Findings findings = new Findings();
    String name = String.valueOf(file.getFileName());
    try (Weights weights = new Weights(findings)) {
      if (Folder.isPickle(name)) {
        findings.refuse(
            name,
            "",
            "a pickle, by its name",
            "a safetensors file",
            "Pickle can run code and is never read. Save the weights as safetensors.");
      } else {
        weights.add(name, file);
        weights.scan();
      }
      findings.file(name, Files.size(file));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file + ": " + e, e);
    }
    return findings.result(file.toString(), Inspection.Kind.FILE, List.of());
  }

  /** Opens a file and takes in its tensors; false, with a problem, if it is malformed. */
  boolean add(String name, Path path) {
    SafetensorsFile file;
    try {
      file = SafetensorsFile.open(path);
    } catch (SafetensorsException e) {
      findings.refuse(name, e.key(), e.found(), e.expected(), "Download or save the file again.");
      return false;
    }
    open.add(file);
    file.metadata().forEach((key, value) -> findings.fact("metadata " + key, value));
    for (TensorInfo info : file.tensors().values()) {
      Place before = tensors.putIfAbsent(info.name(), new Place(name, file, info));
      if (before != null) {
        findings.refuse(
            name,
            info.name(),
            "a tensor that is also in " + before.file(),
            "each tensor in one file",
            "Save the shards again, or remove the one that does not belong here.");
      } else {
        findings.tensor(
            new Inspection.TensorSummary(name, info.name(), info.dtype(), info.shape()),
            info.elements());
      }
    }
    return true;
  }

  Set<String> names() {
    return tensors.keySet();
  }

  Optional<String> fileOf(String tensor) {
    return Optional.ofNullable(tensors.get(tensor)).map(Place::file);
  }

  Optional<List<Long>> shapeOf(String tensor) {
    return Optional.ofNullable(tensors.get(tensor)).map(p -> p.info().shape());
  }

  /**
   * Compares with what a configuration calls for, in both directions.
   *
   * @param mainFile the file in which a missing tensor is missed
   * @param by what calls for them, for a person
   */
  void checkCoverage(Map<String, List<Long>> expected, String mainFile, String by, String remedy) {
    expected.forEach(
        (name, shape) -> {
          Place place = tensors.get(name);
          if (place == null) {
            findings.refuseEach(
                "missing tensors",
                mainFile,
                name,
                "no such tensor",
                "shape " + shape + ", by " + by,
                remedy);
          } else if (!place.info().shape().equals(shape)) {
            findings.refuseEach(
                "tensors of another shape",
                place.file(),
                name,
                "shape " + place.info().shape(),
                shape + ", by " + by,
                remedy);
          }
        });
    tensors.forEach(
        (name, place) -> {
          // A buffer that old exports hold; it follows from the configuration.
          if (!expected.containsKey(name) && !name.endsWith(".rotary_emb.inv_freq")) {
            findings.refuseEach(
                "tensors that nothing calls for",
                place.file(),
                name,
                "a tensor of shape " + place.info().shape(),
                "none of that name, by " + by,
                remedy);
          }
        });
  }

  /** Whether two tensors, each below 2 GiB, have the same type, shape and bytes. */
  boolean equal(String first, String second) {
    Place a = tensors.get(first);
    Place b = tensors.get(second);
    return a != null
        && b != null
        && a.info().size() <= Integer.MAX_VALUE
        && a.info().dtype() == b.info().dtype()
        && a.info().shape().equals(b.info().shape())
        && a.in().bytes(first).equals(b.in().bytes(second));
  }

  void checkTypes() {
    tensors.forEach(
        (name, place) -> {
          if (!SUPPORTED.contains(place.info().dtype())) {
            findings.refuseEach(
                "tensors of another type",
                place.file(),
                name,
                place.info().dtype().label(),
                "F32, F16 or BF16",
                "Convert the weights to one of these types.");
          }
        });
  }

  /** Reads every weight and refuses what is not a finite number. */
  void scan() {
    tensors.forEach(
        (name, place) -> {
          DType dtype = place.info().dtype();
          if (!NonFinite.knows(dtype)) {
            return;
          }
          try {
            NonFinite.in(place.in().bytes(name), dtype)
                .ifPresent(
                    bad ->
                        findings.refuseEach(
                            "tensors that are not finite",
                            place.file(),
                            name,
                            bad.toString(),
                            "finite weights",
                            "The run that wrote these weights diverged; use an earlier state."));
          } catch (SafetensorsException e) {
            findings.refuseEach(
                "tensors too large",
                place.file(),
                name,
                e.found(),
                e.expected(),
                "Tensors of 2 GiB and more are not supported.");
          }
        });
  }

  /** Whether every element of a tensor of a supported type is zero; negative zero counts. */
  boolean isZero(String name) {
    Place place = tensors.get(name);
    if (place == null
        || !SUPPORTED.contains(place.info().dtype())
        || place.info().size() > Integer.MAX_VALUE) {
      return false;
    }
    ByteBuffer bytes = place.in().bytes(name);
    int width = place.info().dtype().bytes();
    for (int i = 0; i < bytes.limit(); i++) {
      // Little-endian: the last byte of an element holds the sign.
      int mask = i % width == width - 1 ? 0x7f : 0xff;
      if ((bytes.get(i) & mask) != 0) {
        return false;
      }
    }
    return true;
  }

  /** Whether two directories' safetensors files have the same names and bytes. */
  static boolean sameFiles(Path first, Path second) {
    try {
      SortedSet<String> names = safetensors(first);
      if (!names.equals(safetensors(second))) {
        return false;
      }
      for (String name : names) {
        if (Files.mismatch(first.resolve(name), second.resolve(name)) >= 0) {
          return false;
        }
      }
      return true;
    } catch (IOException e) {
      throw new UncheckedIOException("cannot compare " + first + " with " + second + ": " + e, e);
    }
  }

  private static SortedSet<String> safetensors(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files
          .map(f -> String.valueOf(f.getFileName()))
          .filter(n -> n.endsWith(".safetensors"))
          .collect(Collectors.toCollection(TreeSet::new));
    }
  }

  @Override
  public void close() {
    open.forEach(SafetensorsFile::close);
  }
}
