package dev.cambium.engine.backend;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.jna.Function;
import java.io.File;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

class BackendTest {

  @Test
  void namesWhatItRunsOn() {
    Backend backend = Backend.instance();
    assertThat(backend).isSameAs(Backend.instance());
    assertThat(backend.fingerprint())
        .startsWith("pytorch-2.")
        .contains(
            "/openblas-0.",
            "/kernel-" + backend.kernel() + "/",
            "/threads-" + backend.threads() + "/fp32/");
    assertThat(torch.get_num_threads()).isEqualTo(backend.threads());
    assertThat(backend.gflops()).isPositive();
  }

  /** A process without the variable gets it before OpenMP is loaded, which prints what it read. */
  @Test
  void openMpWaitsPassivelyWithoutBeingAsked() throws Exception {
    Assumptions.assumeTrue(NativeEnvironment.writable(), "only on Linux");
    List<String> command = new ArrayList<>();
    command.add(ProcessHandle.current().info().command().orElse("java"));
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), "-Xmx256m"));
    command.add("-Dcambium.threads=1");
    command.add(Loads.class.getName());
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    Map<String, String> environment = builder.environment();
    environment.remove("OMP_WAIT_POLICY");
    environment.remove("ONEDNN_PRIMITIVE_CACHE_CAPACITY");
    environment.put("OMP_DISPLAY_ENV", "true");
    File log = File.createTempFile("openmp", ".log");
    builder.redirectOutput(log);
    Process process = builder.start();
    assertThat(process.waitFor()).isZero();
    String output = java.nio.file.Files.readString(log.toPath());
    assertThat(output)
        .contains(
            "OMP_WAIT_POLICY = 'PASSIVE'", "OMP_NUM_THREADS = '1'", "threads-1/", "kernels 256");
    assertThat(log.delete()).isTrue();
  }

  @Test
  void aBlasThatIsNotThereIsNamed() throws Exception {
    Assumptions.assumeTrue(
        BackendTest.class.getClassLoader().getResource("org/bytedeco/mkl/global/mkl_rt.class")
            == null,
        "MKL is on the class path");
    Process process =
        new ProcessBuilder(
                ProcessHandle.current().info().command().orElse("java"),
                "-cp",
                System.getProperty("java.class.path"),
                "-Dcambium.blas=mkl",
                Loads.class.getName())
            .redirectErrorStream(true)
            .start();
    String output = new String(process.getInputStream().readAllBytes());
    assertThat(process.waitFor()).isNotZero();
    assertThat(output).contains("CAMBIUM_BLAS=mkl, but org.bytedeco:mkl is not on the class path");
  }

  /** Run by the test above in a process of its own. */
  static final class Loads {
    public static void main(String[] args) {
      System.out.println(Backend.instance().fingerprint());
      // As native code sees it; System.getenv shows what Java was started with.
      System.out.println(
          "kernels "
              + Function.getFunction("c", "getenv")
                  .invokeString(new Object[] {"ONEDNN_PRIMITIVE_CACHE_CAPACITY"}, false));
    }
  }
}
