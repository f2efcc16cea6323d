package dev.cambium.loop.action;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.cambium.model.Action;
import dev.cambium.model.Digest;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What a worker is given: {@code action.json} in its job directory. All paths are absolute; the
 * worker only reads them, and writes only below its job directory.
 *
 * <pre>
 *   action.json   this
 *   snapshots/    of a training that is under way; kept over crashes
 *   out/          the files of the result
 *   result.json   written last: the result is complete when, and only when, it is there
 * </pre>
 *
 * @param key the action's key
 * @param action what to do
 * @param model directory of the whole model that the action starts from or runs
 * @param adapter directory of the adapter on it
 * @param application file of the application around it
 * @param tuned for a transplant or an alignment: directory of the version that is carried over; for
 *     a distillation: of the teacher's adapter
 * @param newBase for a transplant or an alignment: directory of the new base; for a distillation:
 *     of the teacher's model; for a training with spectral regularization: that of the foundation
 * @param files other artifacts that the action names, laid out as files; for a merge also the
 *     versions, as directories
 */
public record Job(
    Digest key,
    Action action,
    @Nullable String model,
    @Nullable String adapter,
    @Nullable String application,
    @Nullable String tuned,
    @Nullable String newBase,
    @JsonInclude(JsonInclude.Include.NON_EMPTY) Map<Digest, String> files) {

  static final String ACTION = "action.json";
  static final String RESULT = "result.json";
  static final String OUT = "out";
  static final String SNAPSHOTS = "snapshots";

  @SuppressWarnings("ConstantValue") // absent in JSON is null here
  public Job {
    files = files == null ? Map.of() : java.util.Collections.unmodifiableMap(new TreeMap<>(files));
  }
}
