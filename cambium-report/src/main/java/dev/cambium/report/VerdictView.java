package dev.cambium.report;

import dev.cambium.model.Decision;
import dev.cambium.model.VersionRef;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a gate decided, with its evidence.
 *
 * @param candidate the version judged
 * @param reference what it was compared with; none for a first release
 * @param summary one sentence: why
 * @param capabilities the evidence per capability
 * @param headroom how well the candidate still learns; none if that was not measured
 */
public record VerdictView(
    VersionRef candidate,
    @Nullable VersionRef reference,
    Decision decision,
    String summary,
    List<Evidence> capabilities,
    @Nullable Headroom headroom)
    implements Block {

  /**
   * How well the candidate still learns.
   *
   * @param reason one sentence
   * @param measured the figures; may be empty
   */
  public record Headroom(Decision decision, String reason, String measured) {}

  /**
   * The evidence on one capability.
   *
   * @param margin the loss of accuracy that is still acceptable, as a share
   * @param alpha error probability of this test; a wealth of 1/alpha decides
   * @param items items looked at before it was decided
   * @param available items in the suite
   * @param before share of right answers of the reference over those items
   * @param after the candidate's
   * @param notWorse wealth of the bet that the candidate is not worse, after 0, 1, 2, … items
   * @param worse wealth of the bet that it is, likewise
   * @param slices slices that failed
   * @param won items wrong before and right after
   * @param common what the lost items have in common, a sentence each
   * @param lost items right before and wrong after
   * @param intended what a change of the suite asks for; empty where it did not change
   * @param note further statistics, for people; may be empty
   */
  public record Evidence(
      String capability,
      Decision decision,
      double margin,
      double alpha,
      int items,
      int available,
      double before,
      double after,
      List<Double> notWorse,
      List<Double> worse,
      List<Slice> slices,
      int won,
      List<String> common,
      List<Flip> lost,
      Optional<Intended> intended,
      String note) {
    public Evidence {
      notWorse = List.copyOf(notWorse);
      worse = List.copyOf(worse);
      slices = List.copyOf(slices);
      common = List.copyOf(common);
      lost = List.copyOf(lost);
      if (!(alpha > 0 && alpha < 1)) {
        throw new IllegalArgumentException(capability + ": alpha must be in (0, 1): " + alpha);
      }
    }
  }

  /**
   * What a change of the suite asks for, which is no loss.
   *
   * @param summary sentences: what changed, who approved it, what was compared
   * @param flips items that the candidate has right as the suite wants it now, and the reference
   *     not
   */
  public record Intended(String summary, List<Flip> flips) {
    public Intended {
      flips = List.copyOf(flips);
    }
  }

  /**
   * A slice that failed.
   *
   * @param tag name and value, such as {@code intent: card-lost}
   * @param before share of right answers of the reference
   * @param after the candidate's
   */
  public record Slice(String tag, int items, double before, double after) {}

  /**
   * An item that was right before and is wrong now.
   *
   * @param asked the question, as the model got it
   * @param right the right answer
   * @param before what the reference answered
   * @param after what the candidate answered
   */
  public record Flip(String item, String asked, String right, String before, String after) {}

  public VerdictView {
    capabilities = List.copyOf(capabilities);
  }
}
