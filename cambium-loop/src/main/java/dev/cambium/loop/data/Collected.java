package dev.cambium.loop.data;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.cambium.loop.data.Form.Malformed;
import dev.cambium.loop.data.RawFile.RawRow;
import dev.cambium.model.Json;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Function;

/** The values of a file with their ids made or checked, and the rows that gave none. */
record Collected<T>(List<T> values, List<RejectedRow> rejected) {

  private static final int ID_DIGITS = 16;

  /** Makes a value of a row. */
  interface Reader<T> {
    T read(ObjectNode json) throws Malformed;
  }

  /**
   * Reads every row.
   *
   * @param id of a value, empty where the file gave none
   * @param withId the same value with another id
   */
  static <T> Collected<T> of(
      List<RawRow> raw, Reader<T> reader, Function<T, String> id, BiFunction<T, String, T> withId) {
    List<T> values = new ArrayList<>();
    List<RejectedRow> rejected = new ArrayList<>();
    Map<String, Long> seen = new HashMap<>();
    Map<String, Integer> copies = new HashMap<>();
    for (RawRow row : raw) {
      if (row.json() == null) {
        rejected.add(new RejectedRow(row.row(), row.line(), "", String.valueOf(row.failure())));
        continue;
      }
      T value;
      try {
        value = reader.read(row.json());
      } catch (Malformed e) {
        rejected.add(new RejectedRow(row.row(), row.line(), e.column, e.reason()));
        continue;
      }
      if (id.apply(value).isEmpty()) {
        // Equal rows without ids are legitimate data: the second is a copy, not an error.
        String made = "c-" + Json.digest(value).hex().substring(0, ID_DIGITS);
        int copy = copies.merge(made, 1, Integer::sum);
        value = withId.apply(value, copy == 1 ? made : made + "~" + copy);
      }
      Long first = seen.putIfAbsent(id.apply(value), row.row());
      if (first != null) {
        rejected.add(
            new RejectedRow(
                row.row(),
                row.line(),
                "id",
                "'" + id.apply(value) + "' is already the id of row " + first));
        continue;
      }
      values.add(value);
    }
    return new Collected<>(List.copyOf(values), List.copyOf(rejected));
  }
}
