package dev.cambium.report;

import java.util.List;

/**
 * A few numbers that matter most, side by side.
 *
 * @param tiles from the left
 */
public record Tiles(List<Tile> tiles) implements Block {

  /**
   * One number.
   *
   * @param value as shown, such as {@code 14}
   * @param label what it counts
   * @param note something to know about it; may be empty
   */
  public record Tile(String value, String label, String note) {}

  public Tiles {
    tiles = List.copyOf(tiles);
  }
}
