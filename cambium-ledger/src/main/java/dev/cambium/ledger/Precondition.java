package dev.cambium.ledger;

import dev.cambium.model.Channel;
import dev.cambium.model.Digest;
import dev.cambium.model.VersionRef;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What must hold at the moment of appending, as data. It is checked inside the transaction that
 * appends, so that of two writers who expect the same, one wins and the other is told what is so.
 */
public sealed interface Precondition {

  /** A channel points at a version; at none if {@code expected} is null. */
  record ChannelAt(String line, Channel channel, @Nullable VersionRef expected)
      implements Precondition {}

  /** The log has exactly this many records: nobody appended since it was looked at. */
  record LogSize(long expected) implements Precondition {}

  /** The newest declaration of the ecosystem is in this record; there is none if that is empty. */
  record NewestDeclaration(Optional<Long> record) implements Precondition {}

  /** No such version is registered. */
  record VersionAbsent(VersionRef version) implements Precondition {}

  /** The next version of a line will have this number. */
  record NextVersionNumber(String line, int number) implements Precondition {}

  /** This campaign is the one that is open. */
  record CampaignOpen(String campaign) implements Precondition {}

  /** No campaign is open. */
  record NoCampaignOpen() implements Precondition {}

  /** No action with this key has been recorded as finished. */
  record ActionAbsent(Digest action) implements Precondition {}

  /** No such signal has been received. */
  record SignalAbsent(String signal) implements Precondition {}

  /** This signal has been received, and no campaign has taken it up. */
  record SignalOpen(String signal) implements Precondition {}

  /**
   * What the facts name is still in the artifact store, and stays there: a collector of garbage may
   * have taken what was put there and not recorded for long.
   *
   * @param artifacts all that the facts reach and that may not have been recorded before
   * @param renew makes one young again, as of now; false if it is gone
   */
  record ArtifactsRenewed(List<Digest> artifacts, Predicate<Digest> renew) implements Precondition {
    public ArtifactsRenewed {
      artifacts = List.copyOf(artifacts);
    }

    @Override
    public String toString() {
      return "ArtifactsRenewed" + artifacts;
    }
  }

  /** The campaign has not settled this line. */
  record LineUnsettled(String campaign, String line) implements Precondition {}
}
