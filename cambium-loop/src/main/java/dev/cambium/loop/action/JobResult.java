package dev.cambium.loop.action;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.cambium.model.FileEntry;
import dev.cambium.model.Json;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a worker gives back: {@code result.json} in its job directory.
 *
 * @param error why the action failed; none when it is done
 * @param seconds wall time of the work, without loading the worker
 * @param files the result, relative to {@code out/}
 */
public record JobResult(
    @Nullable String error,
    double seconds,
    @JsonInclude(JsonInclude.Include.NON_EMPTY) List<FileEntry> files) {

  @SuppressWarnings("ConstantValue") // absent in JSON is null here
  public JobResult {
    files = files == null ? List.of() : List.copyOf(files);
    if (!Double.isFinite(seconds) || seconds < 0) {
      throw new IllegalArgumentException("an action took " + seconds + " seconds");
    }
  }

  /** A result names files; it holds none of them. */
  static final int LARGEST = 16 << 20;

  /**
   * Reads what a worker wrote.
   *
   * @param action its kind, for the message
   * @throws ActionFailedException if it is no result, or names a file outside of {@code out/}
   */
  public static JobResult read(Path file, String action) throws IOException {
    try (InputStream in = Files.newInputStream(file, LinkOption.NOFOLLOW_LINKS)) {
      byte[] bytes = in.readNBytes(LARGEST + 1);
      if (bytes.length > LARGEST) {
        throw new IllegalArgumentException("it is larger than " + LARGEST + " bytes");
      }
      return Json.read(bytes, JobResult.class);
    } catch (IllegalArgumentException e) {
      throw new ActionFailedException(
          action + ": the worker left a result that cannot be used: " + e.getMessage(), e);
    }
  }
}
