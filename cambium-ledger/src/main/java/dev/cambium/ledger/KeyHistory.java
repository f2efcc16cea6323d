package dev.cambium.ledger;

import dev.cambium.model.Fact;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Which key signs the log at which size. Whoever trusts the newest key can trust the earlier ones:
 * the newest checkpoint, which it signs, covers the records that replaced them.
 */
public final class KeyHistory {

  /**
   * A key and the checkpoints that it signs.
   *
   * @param last the size of the last of them, which its successor signs too
   */
  private record Term(VerifierKey key, long last) {}

  private final List<Term> terms;

  private KeyHistory(List<Term> terms) {
    this.terms = List.copyOf(terms);
  }

  /**
   * The history that a log's records tell.
   *
   * @param first the key that is valid as long as no record replaces it
   * @param rotations in the order of the log
   * @throws IllegalArgumentException if a record names a malformed key
   */
  static KeyHistory of(VerifierKey first, List<Recorded<Fact.KeyRotated>> rotations) {
    List<Term> terms = new ArrayList<>();
    VerifierKey key =
        rotations.isEmpty() ? first : VerifierKey.parse(rotations.get(0).fact().from());
    for (Recorded<Fact.KeyRotated> rotation : rotations) {
      terms.add(new Term(key, rotation.index() + 1));
      key = VerifierKey.parse(rotation.fact().to());
    }
    terms.add(new Term(key, Long.MAX_VALUE));
    return new KeyHistory(terms);
  }

  /** The key of a log whose key was never replaced, as far as its holder knows. */
  public static KeyHistory of(VerifierKey only) {
    return of(only, List.of());
  }

  /** The key that a checkpoint of some size must be signed by. */
  public VerifierKey at(long size) {
    return signers(size).get(0);
  }

  /** The keys that sign the checkpoint of some size: two where one replaces the other. */
  List<VerifierKey> signers(long size) {
    List<VerifierKey> signers = new ArrayList<>();
    for (Term term : terms) {
      if (size <= term.last) {
        signers.add(term.key);
        if (size < term.last) {
          break;
        }
      }
    }
    return signers;
  }

  /** The key that signs now. */
  public VerifierKey current() {
    return terms.get(terms.size() - 1).key;
  }

  /** All keys, the first one first. */
  public List<VerifierKey> all() {
    return terms.stream().map(Term::key).toList();
  }

  /** The key with this written form, if the log was ever signed by it. */
  public Optional<VerifierKey> find(String written) {
    return all().stream().filter(key -> key.toString().equals(written)).findFirst();
  }
}
