package dev.cambium.engine.training;

import dev.cambium.artifact.safetensors.DType;
import dev.cambium.artifact.safetensors.SafetensorsFile;
import dev.cambium.artifact.safetensors.SafetensorsWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The directions of the inputs that a training's change of some matrices acted on most: for each
 * matrix the right singular vectors of ΔW with the largest singular values. Two updates can be
 * compared long after they were made, without the weights.
 *
 * @param bases by the matrix' name
 */
public record UpdateSubspace(Map<String, Basis> bases) {

  /**
   * Orthonormal vectors.
   *
   * @param count how many
   * @param columns how long each is: the matrix' inputs
   * @param values count × columns, row-major
   */
  public record Basis(int count, int columns, float[] values) {}

  /**
   * How much two updates have in common.
   *
   * @param shared mean over the matrices of ‖V·Uᵀ‖² / min(k, l), with V and U the k and l
   *     directions of the two: the mean squared cosine of the principal angles between them, 0 for
   *     orthogonal subspaces, 1 where one holds the other (Hu et al., 2021, section 7.2)
   * @param chance what random subspaces share: mean of max(k, l) / inputs
   * @param matrices how many were compared
   */
  public record Overlap(double shared, double chance, int matrices) {}

  public UpdateSubspace {
    bases = Collections.unmodifiableMap(new TreeMap<>(bases));
  }

  /** Compares two; none where they have no matrix of the same size in common. */
  public Optional<Overlap> overlap(UpdateSubspace other) {
    double shared = 0;
    double chance = 0;
    int matrices = 0;
    for (Map.Entry<String, Basis> entry : bases.entrySet()) {
      Basis one = entry.getValue();
      Basis two = other.bases.get(entry.getKey());
      if (two != null && two.columns == one.columns) {
        shared += common(one, two) / Math.min(one.count, two.count);
        chance += (double) Math.max(one.count, two.count) / one.columns;
        matrices++;
      }
    }
    return matrices == 0
        ? Optional.empty()
        : Optional.of(new Overlap(shared / matrices, Math.min(1, chance / matrices), matrices));
  }

  /** ‖V·Uᵀ‖². */
  private static double common(Basis one, Basis two) {
    double sum = 0;
    for (int i = 0; i < one.count; i++) {
      for (int j = 0; j < two.count; j++) {
        double product = 0;
        for (int c = 0; c < one.columns; c++) {
          product += (double) one.values[i * one.columns + c] * two.values[j * two.columns + c];
        }
        sum += product * product;
      }
    }
    return sum;
  }

  /** Writes a safetensors file: by the matrix' name its vectors, count × columns, F32. */
  public void write(Path file) {
    SortedMap<String, SafetensorsWriter.Tensor> tensors = new TreeMap<>();
    bases.forEach(
        (name, basis) -> {
          ByteBuffer bytes =
              ByteBuffer.allocate(basis.values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
          bytes.asFloatBuffer().put(basis.values);
          tensors.put(
              name,
              new SafetensorsWriter.Tensor(
                  DType.F32, List.of((long) basis.count, (long) basis.columns), bytes));
        });
    SafetensorsWriter.write(file, tensors, Map.of());
  }

  /**
   * Reads what {@link #write} wrote.
   *
   * @throws IllegalArgumentException if it is something else
   */
  public static UpdateSubspace read(Path file) {
    Map<String, Basis> bases = new TreeMap<>();
    try (SafetensorsFile tensors = SafetensorsFile.open(file)) {
      tensors
          .tensors()
          .forEach(
              (name, info) -> {
                if (info.dtype() != DType.F32 || info.shape().size() != 2) {
                  throw new IllegalArgumentException(
                      file + ": " + name + " is no basis of an update but " + info);
                }
                ByteBuffer bytes = tensors.bytes(name).order(ByteOrder.LITTLE_ENDIAN);
                float[] values = new float[bytes.remaining() / Float.BYTES];
                bytes.asFloatBuffer().get(values);
                bases.put(
                    name,
                    new Basis(
                        Math.toIntExact(info.shape().get(0)),
                        Math.toIntExact(info.shape().get(1)),
                        values));
              });
    }
    return new UpdateSubspace(bases);
  }
}
