package dev.cambium.artifact.huggingface;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The names of an adapter's tensors. PEFT writes {@code
 * base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight}; dumps of a training state keep
 * the adapter's own name ({@code lora_A.default.weight}, {@code modules_to_save.default.weight}),
 * some programs leave the prefix out, and older ones write magnitudes with {@code .weight}.
 */
public final class AdapterKeys {

  /** What PEFT puts before the base's own names. */
  public static final String PREFIX = "base_model.model.";

  private static final Pattern HALF = Pattern.compile("(.*\\.lora_[AB])(?:\\.([^.]+))?\\.weight");
  private static final Pattern MAGNITUDE =
      Pattern.compile("(.*\\.lora_magnitude_vector)(?:\\.(?!weight$)([^.]+))?(?:\\.weight)?");
  private static final Pattern SAVED =
      Pattern.compile("(.*)\\.modules_to_save(?:\\.([^.]+))?(\\.weight)");

  private AdapterKeys() {}

  /**
   * The names as PEFT writes them, by the names found.
   *
   * @throws IllegalArgumentException if two names are the same but for their spelling, as where a
   *     file holds several adapters
   */
  public static Map<String, String> canonical(Collection<String> names) {
    Map<String, String> canonical = new TreeMap<>();
    Map<String, String> found = new LinkedHashMap<>();
    SortedSet<String> adapters = new TreeSet<>();
    for (String name : new TreeSet<>(names)) {
      String spelled = canonical(name, adapters);
      String before = found.put(spelled, name);
      if (before != null || adapters.size() > 1) {
        throw new IllegalArgumentException(
            before == null
                ? "tensors of several adapters, " + adapters + ", in one file"
                : before + " and " + name + " are two spellings of one name");
      }
      canonical.put(name, spelled);
    }
    return canonical;
  }

  private static String canonical(String name, SortedSet<String> adapters) {
    String rest = name.startsWith(PREFIX) ? name.substring(PREFIX.length()) : name;
    for (Pattern pattern : new Pattern[] {HALF, MAGNITUDE, SAVED}) {
      Matcher matcher = pattern.matcher(rest);
      if (matcher.matches()) {
        if (matcher.group(2) != null) {
          adapters.add(matcher.group(2));
        }
        rest = matcher.group(1) + (pattern == MAGNITUDE ? "" : ".weight");
        break;
      }
    }
    return PREFIX + rest;
  }
}
