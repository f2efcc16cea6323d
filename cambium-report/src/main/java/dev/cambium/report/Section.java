package dev.cambium.report;

import java.util.List;

/**
 * A part of a page.
 *
 * @param title its heading, also in the page's list of parts; empty for none
 * @param lead a sentence under the heading; may be empty
 * @param blocks what it shows
 * @param folded whether it is closed until somebody opens it
 */
public record Section(String title, String lead, List<Block> blocks, boolean folded) {

  public Section {
    blocks = List.copyOf(blocks);
  }
}
