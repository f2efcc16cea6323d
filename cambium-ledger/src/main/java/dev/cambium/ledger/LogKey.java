package dev.cambium.ledger;

import java.nio.file.Path;
import java.util.Optional;

/**
 * The key that a log is signed with, as far as this process knows: another one may replace it,
 * which the log then says.
 */
final class LogKey {

  private final Path directory;
  private volatile SigningKey current;

  private LogKey(Path directory, SigningKey current) {
    this.directory = directory;
    this.current = current;
  }

  /** The key that is in a directory. */
  static LogKey load(Path directory) {
    return new LogKey(directory, SigningKey.load(directory));
  }

  /** A new one. */
  static LogKey generate(Path directory) {
    return new LogKey(directory, SigningKey.generate(directory));
  }

  /** The public half. */
  VerifierKey verifier() {
    return current.verifier();
  }

  /**
   * The key that the log says signs it: the one that this process holds or, if another process has
   * replaced that, the one in the key's directory. Finishes what a crash interrupted.
   */
  SigningKey signer(Optional<String> named) {
    SigningKey held = current;
    if (named.isEmpty() || named.get().equals(held.verifier().toString())) {
      return held;
    }
    VerifierKey wanted;
    try {
      wanted = VerifierKey.parse(named.get());
    } catch (IllegalArgumentException e) {
      throw new LedgerException(
          "the ledger names a malformed signing key; run verify: " + e.getMessage(), e);
    }
    SigningKey.adopt(directory, wanted);
    SigningKey found = SigningKey.load(directory);
    if (!found.verifier().equals(wanted)) {
      throw new LedgerException(
          "the log is signed by "
              + wanted
              + ", and the key in "
              + directory
              + " is "
              + found.verifier()
              + ": restore the newest key from a backup");
    }
    current = found;
    return found;
  }

  /** A key to replace this one; it is not in force yet. */
  SigningKey successor() {
    return SigningKey.successor(directory, verifier().name());
  }

  /** The log names a successor: it is the key from here on. */
  void adopt(SigningKey successor) {
    SigningKey.adopt(directory, successor.verifier());
    current = successor;
  }

  /** A successor never came into the log. */
  void abandon(SigningKey successor) {
    SigningKey.abandon(directory, successor.verifier());
  }
}
