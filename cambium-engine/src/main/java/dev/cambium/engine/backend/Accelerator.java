package dev.cambium.engine.backend;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.DeviceOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;

/** The device that tensors live on, chosen by what is there, never by timing. */
final class Accelerator {

  private static final Path GPUS = Path.of("/proc/driver/nvidia/gpus");

  private final String name;
  private final String identity;
  private final String reason;

  /** Null for the processor's own memory, where nothing ever needs to be moved. */
  private final @Nullable Device device;

  private Accelerator(String name, String identity, String reason, @Nullable Device device) {
    this.name = name;
    this.identity = identity;
    this.reason = reason;
    this.device = device;
  }

  /**
   * @param asked {@code auto}, {@code cpu} or {@code cuda}
   * @throws IllegalStateException if another is asked for, or a GPU that is not there
   */
  static Accelerator choose(String asked) {
    String wanted = asked.toLowerCase(Locale.ROOT);
    if (!List.of("auto", "cpu", "cuda").contains(wanted)) {
      throw new IllegalStateException(
          "CAMBIUM_DEVICE must be auto, cpu or cuda, not '" + asked + "'");
    }
    if (wanted.equals("cpu")) {
      return cpu("asked for by CAMBIUM_DEVICE");
    }
    boolean built = torch.hasCUDA();
    if (built && torch.cuda_is_available()) {
      String model = model(GPUS);
      Device first = new Device("cuda:0");
      first.retainReference();
      return new Accelerator(
          "cuda:0",
          "cuda-" + torch.C10_CUDA_VERSION + "-" + model,
          wanted.equals("cuda") ? "asked for by CAMBIUM_DEVICE" : "found " + model,
          first);
    }
    String reason =
        built
            ? "no GPU that the CUDA library can use"
            : "the tensor library on the class path has no CUDA; build with -Pcuda for one";
    if (wanted.equals("cuda")) {
      throw new IllegalStateException("CAMBIUM_DEVICE=cuda, but there is " + reason);
    }
    return cpu(reason);
  }

  private static Accelerator cpu(String reason) {
    return new Accelerator("cpu", "cpu", reason, null);
  }

  /** The first GPU's model, as the driver names it. */
  static String model(Path gpus) {
    if (!Files.isDirectory(gpus)) {
      return "gpu";
    }
    try (Stream<Path> folders = Files.list(gpus)) {
      Path first = folders.sorted().findFirst().orElse(gpus);
      for (String line : Files.readAllLines(first.resolve("information"))) {
        if (line.startsWith("Model:")) {
          return line.substring("Model:".length())
              .strip()
              .replaceAll("\\W+", "-")
              .replaceAll("-$", "");
        }
      }
    } catch (IOException e) {
      // The driver does not tell; the name below stands for it.
    }
    return "gpu";
  }

  String name() {
    return name;
  }

  /** What of it changes bits. */
  String identity() {
    return identity;
  }

  String reason() {
    return reason;
  }

  TensorOptions options(ScalarType type) {
    TensorOptions options = new TensorOptions(type);
    return device == null ? options : options.device(new DeviceOptional(device));
  }

  Tensor toDevice(Tensor tensor) {
    return device == null ? tensor : tensor.to(device, tensor.scalar_type());
  }

  Tensor toHost(Tensor tensor) {
    return device == null ? tensor : tensor.cpu();
  }
}
