package dev.cambium.ledger;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What verifying a ledger found.
 *
 * @param records how many were read, hashed and replayed
 * @param checkpoints how many signatures were checked
 * @param projectionRows how many rows were compared with those that replaying gives
 * @param artifacts how many different artifacts were looked at
 * @param findings what does not fit, causes before consequences
 * @param omitted how many findings more there are than the list holds
 */
public record VerificationReport(
    long records,
    long checkpoints,
    long projectionRows,
    long artifacts,
    List<Finding> findings,
    long omitted) {

  /** How bad a finding is. */
  public enum Severity {
    /** Something is not what it was when it was recorded. */
    ERROR,
    /** May be but the consequence of an error that is reported before it. */
    WARNING
  }

  /**
   * Something that does not fit.
   *
   * @param severity how bad
   * @param index of the record concerned; none if no single one is
   * @param fact the written form of that record's kind of fact; none if there is no such record
   * @param subject what was looked at
   * @param expected what it should be
   * @param found what it is
   */
  public record Finding(
      Severity severity,
      @Nullable Long index,
      @Nullable String fact,
      String subject,
      String expected,
      String found) {

    @Override
    public String toString() {
      StringBuilder text = new StringBuilder();
      if (index != null) {
        text.append("record ").append(index);
        if (fact != null) {
          text.append(" (").append(fact).append(')');
        }
        text.append(": ");
      }
      return text.append(subject)
          .append(": expected ")
          .append(expected)
          .append(", found ")
          .append(found)
          .toString();
    }
  }

  public VerificationReport {
    findings = List.copyOf(findings);
  }

  /** Whether nothing was found that does not fit. */
  public boolean intact() {
    return findings.isEmpty();
  }
}
