package dev.cambium.loop.gate;

import dev.cambium.model.Digest;
import dev.cambium.model.Item;
import dev.cambium.model.Json;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Evaluation items in the order in which gates use them.
 *
 * <p>The order is that of a digest of each item's id: as good as random, so that any first n items
 * are a fair sample whatever order the author wrote them in, and the same for every version, so
 * that outcomes pair up and are memoised.
 *
 * @param digest of the stored form
 * @param items in that order
 */
public record Suite(Digest digest, List<Item> items) {

  public Suite {
    items = List.copyOf(items);
  }

  /** Brings items into order. */
  public static Suite of(List<Item> items) {
    List<Item> ordered = new ArrayList<>(items);
    ordered.sort(
        Comparator.comparing((Item item) -> Digest.ofText("suite-order\n" + item.id()).hex())
            .thenComparing(Item::id));
    return new Suite(Digest.of(bytes(ordered)), ordered);
  }

  /** Reads the stored form. */
  public static Suite read(byte[] stored) {
    List<Item> items =
        new String(stored, StandardCharsets.UTF_8)
            .lines()
            .map(line -> Json.read(line.getBytes(StandardCharsets.UTF_8), Item.class))
            .toList();
    return new Suite(Digest.of(stored), items);
  }

  /** The stored form: one item a line. */
  public byte[] bytes() {
    return bytes(items);
  }

  private static byte[] bytes(List<Item> items) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      for (Item item : items) {
        out.write(Json.canonical(item));
        out.write('\n');
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }
}
