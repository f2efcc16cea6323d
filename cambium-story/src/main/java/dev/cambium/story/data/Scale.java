package dev.cambium.story.data;

/** How much data a run gets. */
public enum Scale {
  /** The whole demo, some minutes. */
  FULL(1_600, 320, 14_000, 20_000, 240),
  /** The short demo, under 90 seconds. */
  QUICK(800, 208, 4_000, 6_000, 120),
  /** On a large model, whose every item and step takes long. */
  OWN(1_000, 160, 4_000, 4_000, 240),
  /** The short demo on a large model. */
  OWN_QUICK(800, 100, 2_000, 2_000, 160);

  private final int trainRows;
  private final int testItems;
  private final int textRowsFirst;
  private final int textRowsSecond;
  private final int dropRows;

  Scale(int trainRows, int testItems, int textRowsFirst, int textRowsSecond, int dropRows) {
    this.trainRows = trainRows;
    this.testItems = testItems;
    this.textRowsFirst = textRowsFirst;
    this.textRowsSecond = textRowsSecond;
    this.dropRows = dropRows;
  }

  /** Training rows of a task, at most. */
  public int trainRows() {
    return trainRows;
  }

  /** Suite items of a task, at most. */
  public int testItems() {
    return testItems;
  }

  /** Lines of pre-training text of an edition. */
  public int textRows(Edition edition) {
    return edition == Edition.V1 ? textRowsFirst : textRowsSecond;
  }

  /** Rows of one drop of new data for a task. */
  public int dropRows() {
    return dropRows;
  }
}
