package dev.cambium.ledger.merkle;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * The layout of C2SP tlog-tiles: which files hold the tree of a log of some size. A tile holds up
 * to 256 consecutive hashes of every eighth level of the tree, a bundle the entries that belong to
 * the hashes of a tile of the lowest level.
 */
public final class Tiles {

  /** Hashes in a full tile. */
  public static final int WIDTH = 256;

  /** Levels of the tree from one level of tiles to the next. */
  public static final int HEIGHT = 8;

  /** Where the newest signed tree head is. */
  public static final String CHECKPOINT = "checkpoint";

  private Tiles() {}

  /**
   * Whether tiles hold the nodes of a level of the tree; those between follow from the ones below.
   */
  public static boolean hold(int level) {
    return level % HEIGHT == 0;
  }

  /**
   * A tile.
   *
   * @param level of tiles, from 0
   * @param index within its level, from 0
   * @param width how many hashes it holds, 1 to 256
   */
  public record Tile(int level, long index, int width) {

    /** Where it is, below the log's prefix. */
    public String path() {
      return "tile/" + level + "/" + place();
    }

    /** Where the entries of a tile of level 0 are, below the log's prefix. */
    public String bundlePath() {
      if (level != 0) {
        throw new IllegalStateException("entries belong to level 0, not " + level);
      }
      return "tile/entries/" + place();
    }

    /** The position of its first hash on its level of the tree. */
    public long first() {
      return index * WIDTH;
    }

    /** The record that completed it: the last one below its last hash. */
    public long lastRecord() {
      return ((first() + width) << (HEIGHT * level)) - 1;
    }

    private String place() {
      StringBuilder place = new StringBuilder(String.format(Locale.ROOT, "%03d", index % 1000));
      for (long rest = index / 1000; rest > 0; rest /= 1000) {
        place.insert(0, String.format(Locale.ROOT, "x%03d/", rest % 1000));
      }
      return width == WIDTH ? place.toString() : place + ".p/" + width;
    }
  }

  /** The tiles of a log of some size that one of an earlier size lacks, from level 0 upwards. */
  public static List<Tile> since(long earlier, long size) {
    List<Tile> tiles = new ArrayList<>();
    for (int level = 0; HEIGHT * level < Long.SIZE - 1 && size >>> (HEIGHT * level) > 0; level++) {
      long hashes = size >>> (HEIGHT * level);
      long before = earlier >>> (HEIGHT * level);
      if (hashes == before) {
        continue;
      }
      for (long index = before / WIDTH; index * WIDTH < hashes; index++) {
        tiles.add(new Tile(level, index, (int) Math.min(WIDTH, hashes - index * WIDTH)));
      }
    }
    return tiles;
  }
}
