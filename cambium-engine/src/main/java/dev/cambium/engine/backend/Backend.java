package dev.cambium.engine.backend;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.openblas.global.openblas_nolapack;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The native tensor library of this process: loaded once, on first use, with settings that make
 * results repeatable and fast.
 *
 * <p>Four things go wrong by default, and are put right before the library loads. (1) The OpenMP
 * threads of libtorch spin after every operation and take the cores from the threads of the BLAS:
 * matrix products run at a third of their speed or less. {@code OMP_WAIT_POLICY=PASSIVE} prevents
 * it, but is read only once, when the OpenMP library is loaded; so it is put into the environment
 * of this process if it is not there. (2) JavaCPP runs the garbage collector when memory seems
 * short, which under a small heap is at every step; its limits are lifted unless they were set. (3)
 * Thread counts differ between OpenMP, the BLAS and the library's own pool; all get one number. (4)
 * The BLAS's own threads spin as well, and take the cores from those of libtorch; they get less
 * patience.
 *
 * <p>The number of threads and the BLAS are decided by rule, never by timing: both change the last
 * bits of results, and the same machine must give the same fingerprint every time. The timing of a
 * few products tells whether the choice works, and is logged.
 *
 * <p>Settings, as system property or environment variable: {@code cambium.threads} / {@code
 * CAMBIUM_THREADS} (default: physical cores); {@code cambium.blas} / {@code CAMBIUM_BLAS}, {@code
 * openblas} (default, bundled) or {@code mkl} (if its jar is on the class path); {@code
 * cambium.device} / {@code CAMBIUM_DEVICE}, {@code auto} (default: a GPU if the library was built
 * for one and finds one), {@code cpu} or {@code cuda}.
 */
public final class Backend {

  private static final Logger log = LoggerFactory.getLogger(Backend.class);

  private static final String WAIT_POLICY = "OMP_WAIT_POLICY";
  private static final String CORE_TYPE = "OPENBLAS_CORETYPE";

  /**
   * Two to this power are the clock cycles for which a thread of OpenBLAS spins in wait of the next
   * product. Its default, 26, is some 20 ms: a core is taken from everything between two products.
   */
  private static final String BLAS_PATIENCE = "14";

  /**
   * Rounds for which an OpenMP thread spins before it sleeps: some microseconds, since to be woken
   * takes longer than many an operation. Passive waiting alone would mean none.
   */
  private static final String OPENMP_PATIENCE = "3000";

  /**
   * Kernels that oneDNN keeps, each for one shape of product; its default is 1024. Batches of rows
   * of other lengths have other shapes, and kept kernels hold a quarter of a megabyte each.
   */
  private static final String KERNELS_KEPT = "256";

  /** Kernel sets of OpenBLAS, as its dynamic builds name them (driver/others/dynamic.c). */
  private static final List<String> OPENBLAS_KERNELS =
      List.of(
          "SAPPHIRERAPIDS",
          "COOPERLAKE",
          "SKYLAKEX",
          "ZEN",
          "HASWELL",
          "EXCAVATOR",
          "STEAMROLLER",
          "PILEDRIVER",
          "BULLDOZER",
          "SANDYBRIDGE",
          "NEHALEM",
          "CORE2",
          "PRESCOTT",
          "NEOVERSEV1",
          "NEOVERSEN2",
          "NEOVERSEN1",
          "ARMV8SVE",
          "ARMV8");

  /** Processor features that decide which kernels the tensor library runs. */
  private static final Set<String> FEATURES =
      Set.of("avx2", "fma", "avx512f", "avx512_bf16", "avx512_fp16", "amx_bf16", "sve", "bf16");

  private static @Nullable Backend instance;

  private final String blas;
  private final String kernel;
  private final int threads;
  private final String fingerprint;
  private final double gflops;
  private final Accelerator accelerator;
  private final Set<String> cpuFeatures;

  private Backend(
      String blas,
      String kernel,
      int threads,
      String fingerprint,
      double gflops,
      Accelerator accelerator,
      Set<String> cpuFeatures) {
    this.cpuFeatures = cpuFeatures;
    this.accelerator = accelerator;
    this.blas = blas;
    this.kernel = kernel;
    this.threads = threads;
    this.fingerprint = fingerprint;
    this.gflops = gflops;
  }

  /**
   * The backend of this process; the first call loads it (about 2 s; the very first on a machine
   * unpacks 450 MB to JavaCPP's cache).
   *
   * @throws IllegalStateException if a setting is not valid or the BLAS asked for is not there
   */
  public static synchronized Backend instance() {
    Backend loaded = instance;
    if (loaded == null) {
      loaded = load();
      instance = loaded;
    }
    return loaded;
  }

  /**
   * Environment variables with which a process that computes should be started, unless they are
   * set: OpenMP that does not spin, and one arena of memory for all threads, since glibc keeps, and
   * never reuses, what training has given back in an arena of a thread's own.
   */
  public static Map<String, String> processEnvironment() {
    return Map.of(WAIT_POLICY, "PASSIVE", "MALLOC_ARENA_MAX", "1");
  }

  /** The BLAS in use: {@code openblas} or {@code mkl}. */
  public String blas() {
    return blas;
  }

  /** The kernel set that the BLAS chose for this processor, such as {@code COOPERLAKE}. */
  public String kernel() {
    return kernel;
  }

  /** Whether the processor has bf16 instructions, so that products in bf16 are faster than fp32. */
  public boolean fastBfloat16() {
    return cpuFeatures.contains("avx512_bf16") || cpuFeatures.contains("amx_bf16");
  }

  /** Threads of one operation. */
  public int threads() {
    return threads;
  }

  /** Where tensors live and computation happens: {@code cpu} or {@code cuda:0}. */
  public String device() {
    return accelerator.name();
  }

  /** How a tensor of a type is made on the device. */
  public TensorOptions options(ScalarType type) {
    return accelerator.options(type);
  }

  /** A tensor on the device; the same one if it is there already. */
  public Tensor toDevice(Tensor tensor) {
    return accelerator.toDevice(tensor);
  }

  /**
   * A tensor whose memory this process can read and write; the same one if it is that already, else
   * a copy. Only of such a tensor may anyone ask for a data pointer.
   */
  public Tensor toHost(Tensor tensor) {
    return accelerator.toHost(tensor);
  }

  /** Speed of fp32 products of a small model's shape when the backend was loaded, in GFLOP/s. */
  public double gflops() {
    return gflops;
  }

  /**
   * What must be equal for the same computation to give the same bits: library versions, BLAS,
   * kernels, threads, precision, processor features and device.
   */
  public String fingerprint() {
    return fingerprint;
  }

  private static Backend load() {
    long start = System.nanoTime();
    // Before JavaCPP's classes are initialised: they read these once.
    defaultProperty("org.bytedeco.javacpp.maxphysicalbytes", "0");
    defaultProperty("org.bytedeco.javacpp.maxbytes", "0");
    int threads = threadCount();
    String blas = setting("blas", "openblas").toLowerCase(Locale.ROOT);
    if (!blas.equals("openblas") && !blas.equals("mkl")) {
      throw new IllegalStateException("CAMBIUM_BLAS must be openblas or mkl, not '" + blas + "'");
    }
    if (blas.equals("mkl")) {
      if (Backend.class.getClassLoader().getResource("org/bytedeco/mkl/global/mkl_rt.class")
          == null) {
        throw new IllegalStateException(
            "CAMBIUM_BLAS=mkl, but org.bytedeco:mkl is not on the class path; add it with its"
                + " redist classifier, or use openblas");
      }
      System.setProperty("org.bytedeco.openblas.load", "mkl");
    }
    boolean passive = prepareEnvironment(threads);

    Loader.load(openblas_nolapack.class);
    Loader.load(torch.class);
    torch.set_num_threads(threads);
    org.bytedeco.openblas.presets.openblas_nolapack.blas_set_num_threads(threads);
    torch.globalContext().setDeterministicAlgorithms(true, false);
    // Or every new tensor would be filled with NaN first: a search for faults, not determinism.
    torch.globalContext().setDeterministicFillUninitializedMemory(false);
    torch.globalContext().setDeterministicMkldnn(true);

    @Nullable String pinned = System.getenv(CORE_TYPE);
    String kernel = blas.equals("mkl") ? "mkl" : openBlasKernel();
    Accelerator accelerator = Accelerator.choose(setting("device", "auto"));
    Set<String> cpuFeatures = readCpuFeatures();
    String fingerprint = fingerprint(blas, kernel, threads, accelerator, cpuFeatures);
    double gflops = probe();
    log.info(
        "backend: {} ({}) with {} kernels ({}), {} threads ({}), {} GFLOP/s; loaded in {} ms",
        blas,
        setting("blas", "").isEmpty() ? "the bundled one" : "asked for by CAMBIUM_BLAS",
        kernel,
        pinned == null ? "chosen for this processor" : "asked for by " + CORE_TYPE,
        threads,
        setting("threads", "").isEmpty() ? "one for each core" : "asked for by CAMBIUM_THREADS",
        Math.round(gflops),
        (System.nanoTime() - start) / 1_000_000);
    log.info("device: {} ({})", accelerator.name(), accelerator.reason());
    if (pinned != null
        && kernel.equals("HASWELL")
        && torch.get_cpu_capability().getString().startsWith("AVX512")) {
      log.warn(
          "{}={} keeps the BLAS to AVX2 on a processor with AVX-512, which slows every product down;"
              + " leave it out",
          CORE_TYPE,
          pinned);
    }
    log.debug("fingerprint: {}", fingerprint);
    if (!passive) {
      log.warn(
          "OpenMP threads spin and slow the BLAS down, often to a third of its speed (measured now:"
              + " {} GFLOP/s). Start Java with {}=PASSIVE in the environment.",
          Math.round(gflops),
          WAIT_POLICY);
    }
    return new Backend(blas, kernel, threads, fingerprint, gflops, accelerator, cpuFeatures);
  }

  /** Sets what native libraries read when they are loaded. Returns whether OpenMP will not spin. */
  private static boolean prepareEnvironment(int threads) {
    if (!NativeEnvironment.writable()) {
      return !isX86();
    }
    Map<String, String> wanted = new LinkedHashMap<>();
    wanted.put(WAIT_POLICY, "PASSIVE");
    wanted.put("GOMP_SPINCOUNT", OPENMP_PATIENCE);
    wanted.put("OMP_NUM_THREADS", Integer.toString(threads));
    wanted.put("OMP_DYNAMIC", "FALSE");
    wanted.put("OPENBLAS_NUM_THREADS", Integer.toString(threads));
    wanted.put("OPENBLAS_THREAD_TIMEOUT", BLAS_PATIENCE);
    wanted.put("ONEDNN_PRIMITIVE_CACHE_CAPACITY", KERNELS_KEPT);
    wanted.put("LRU_CACHE_CAPACITY", KERNELS_KEPT); // of ideep, which PyTorch calls oneDNN through
    wanted.put("MKL_NUM_THREADS", Integer.toString(threads));
    wanted.put("MKL_THREADING_LAYER", "GNU");
    wanted.keySet().removeAll(System.getenv().keySet());
    boolean late = wanted.containsKey(WAIT_POLICY) && NativeEnvironment.isLoaded("libgomp");
    if (!wanted.isEmpty()) {
      NativeEnvironment.add(wanted);
    }
    return !late && !"ACTIVE".equalsIgnoreCase(System.getenv(WAIT_POLICY));
  }

  private static boolean isX86() {
    String arch = System.getProperty("os.arch", "");
    return arch.equals("amd64") || arch.equals("x86_64");
  }

  private static int threadCount() {
    String text = setting("threads", "");
    if (text.isEmpty()) {
      Loader.load(Pointer.class);
      int cores = Loader.totalCores();
      int processors = Runtime.getRuntime().availableProcessors();
      return cores > 0 ? Math.min(cores, processors) : processors;
    }
    try {
      int threads = Integer.parseInt(text);
      if (threads >= 1 && threads <= 1024) {
        return threads;
      }
    } catch (NumberFormatException e) {
      // told below
    }
    throw new IllegalStateException("CAMBIUM_THREADS must be 1 to 1024, not '" + text + "'");
  }

  private static String setting(String name, String absent) {
    @Nullable String property = System.getProperty("cambium." + name);
    if (property == null) {
      property = System.getenv("CAMBIUM_" + name.toUpperCase(Locale.ROOT));
    }
    return property == null || property.isBlank() ? absent : property.strip();
  }

  private static void defaultProperty(String name, String value) {
    if (System.getProperty(name) == null) {
      System.setProperty(name, value);
    }
  }

  /** OpenBLAS points {@code gotoblas} at the kernel set that it chose; its name is the symbol's. */
  private static String openBlasKernel() {
    @Nullable Pointer chosen = Loader.addressof("gotoblas");
    if (chosen == null) {
      return "static";
    }
    @Nullable Pointer table = new PointerPointer<Pointer>(chosen).get(Pointer.class, 0);
    for (String name : OPENBLAS_KERNELS) {
      @Nullable Pointer candidate = Loader.addressof("gotoblas_" + name);
      if (candidate != null && table != null && candidate.address() == table.address()) {
        return name;
      }
    }
    return "unknown";
  }

  private static String fingerprint(
      String blas, String kernel, int threads, Accelerator accelerator, Set<String> cpuFeatures) {
    List<String> parts = new ArrayList<>();
    parts.add("pytorch-" + version("pytorch"));
    parts.add(blas + "-" + version(blas));
    parts.add("kernel-" + kernel);
    parts.add("threads-" + threads);
    parts.add("fp32");
    parts.add("simd-" + torch.get_cpu_capability().getString());
    parts.add(Loader.getPlatform());
    parts.add("cpu-" + String.join("+", cpuFeatures));
    parts.add("device-" + accelerator.identity());
    return String.join("/", parts);
  }

  /** The version in the jar's own Maven properties; its name where a repackaging dropped those. */
  private static String version(String artifact) {
    String path = "META-INF/maven/org.bytedeco/" + artifact + "/pom.properties";
    try (var in = Backend.class.getClassLoader().getResourceAsStream(path)) {
      if (in == null) {
        return "unknown";
      }
      Properties properties = new Properties();
      properties.load(in);
      return properties.getProperty("version", "unknown");
    } catch (IOException e) {
      return "unknown";
    }
  }

  /** Features of the processor that matter here, by the names that the system gives them. */
  Set<String> cpuFeatures() {
    return cpuFeatures;
  }

  private static Set<String> readCpuFeatures() {
    Path info = Path.of("/proc/cpuinfo");
    if (!Files.isReadable(info)) {
      return Set.of(System.getProperty("os.arch", "unknown"));
    }
    try (var lines = Files.lines(info, StandardCharsets.ISO_8859_1)) {
      Set<String> features =
          lines
              .filter(line -> line.startsWith("flags") || line.startsWith("Features"))
              .findFirst()
              .map(line -> new HashSet<>(Arrays.asList(line.split("\\s+"))))
              .orElseGet(HashSet::new);
      features.retainAll(FEATURES);
      return new TreeSet<>(features);
    } catch (IOException e) {
      return Set.of(System.getProperty("os.arch", "unknown"));
    }
  }

  /** Products between element-wise work, as training alternates them: where spinning hurts. */
  private static double probe() {
    int rows = 512;
    int width = 128;
    try (PointerScope scope = new PointerScope();
        NoGradGuard noGrad = new NoGradGuard()) {
      Tensor x = torch.ones(new long[] {rows, width}, new TensorOptions(torch.ScalarType.Float));
      Tensor w = torch.ones(new long[] {width, width}, new TensorOptions(torch.ScalarType.Float));
      double best = 0;
      for (int round = 0; round < 4; round++) {
        long start = System.nanoTime();
        int products = 20;
        for (int i = 0; i < products; i++) {
          try (PointerScope inner = new PointerScope()) {
            Tensor y = torch.silu(torch.linear(x, w));
            assert y.numel() == (long) rows * width;
          }
        }
        double seconds = (System.nanoTime() - start) / 1e9;
        best = Math.max(best, 2.0 * rows * width * width * products / seconds / 1e9);
      }
      return best;
    }
  }
}
