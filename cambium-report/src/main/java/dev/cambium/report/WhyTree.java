package dev.cambium.report;

import java.util.List;

/**
 * Where a version comes from: what it was made of, by which action, on which evidence.
 *
 * @param root the version that is asked about
 */
public record WhyTree(Cause root) implements Block {

  /**
   * One thing and what it comes from.
   *
   * @param title such as {@code cards@3}
   * @param text a sentence about it; may be empty
   * @param facts names with values, such as the digest
   * @param causes what it comes from
   */
  public record Cause(String title, String text, List<Terms.Term> facts, List<Cause> causes) {
    public Cause {
      facts = List.copyOf(facts);
      causes = List.copyOf(causes);
    }
  }

  /** The tree as a page of its own. */
  public String html() {
    return new ReportPage(
            "Why " + root.title(), "", List.of(new Section("", "", List.of(this), false)), "")
        .html();
  }
}
