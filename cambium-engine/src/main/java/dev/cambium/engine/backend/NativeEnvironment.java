package dev.cambium.engine.backend;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;

/**
 * Environment variables of this very process, for native libraries that read them once, when they
 * are loaded. Java can set them only for children, so the C library's {@code environ} is replaced
 * by a longer copy; {@code getenv} reads it there. Only on Linux, where the OpenMP library that
 * needs it is.
 */
final class NativeEnvironment {

  private NativeEnvironment() {}

  /** Whether variables can be set here. */
  static boolean writable() {
    return System.getProperty("os.name", "").equals("Linux");
  }

  /** Whether a library whose file name begins so is in this process already. */
  static boolean isLoaded(String library) {
    try (var maps = Files.lines(Path.of("/proc/self/maps"), StandardCharsets.ISO_8859_1)) {
      return maps.anyMatch(line -> line.contains("/" + library));
    } catch (IOException e) {
      return false;
    }
  }

  /** Adds variables. Those set already must not be among them: the first of a name wins. */
  static void add(Map<String, String> variables) {
    Loader.load(Pointer.class);
    Pointer symbol = Loader.addressof("environ");
    if (symbol == null) {
      throw new IllegalStateException("the C library has no symbol 'environ'");
    }
    PointerPointer<Pointer> environ = new PointerPointer<>(symbol);
    PointerPointer<Pointer> old = new PointerPointer<>(environ.get(Pointer.class, 0));
    long count = 0;
    while (old.get(Pointer.class, count) != null) {
      count++;
    }
    // Never freed: the C library points into it from now on.
    PointerPointer<Pointer> table =
        new PointerPointer<>(Pointer.malloc((count + variables.size() + 1) * 8L));
    for (long i = 0; i < count; i++) {
      table.put(i, old.get(Pointer.class, i));
    }
    for (Map.Entry<String, String> variable : variables.entrySet()) {
      byte[] text =
          (variable.getKey() + "=" + variable.getValue() + "\0").getBytes(StandardCharsets.UTF_8);
      BytePointer entry = new BytePointer(Pointer.malloc(text.length));
      entry.put(text, 0, text.length);
      table.put(count++, entry);
    }
    table.put(count, (Pointer) null);
    environ.put(0, table);
  }
}
