package dev.cambium.loop.action;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.cambium.model.FileEntry;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a worker gives back: {@code result.json} in its job directory.
 *
 * @param error why the action failed; none when it is done
 * @param seconds wall time of the work, without loading the worker
 * @param files the result, relative to {@code out/}
 */
record JobResult(
    @Nullable String error,
    double seconds,
    @JsonInclude(JsonInclude.Include.NON_EMPTY) List<FileEntry> files) {

  @SuppressWarnings("ConstantValue") // absent in JSON is null here
  JobResult {
    files = files == null ? List.of() : List.copyOf(files);
  }
}
