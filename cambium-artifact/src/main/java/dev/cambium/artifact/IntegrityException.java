package dev.cambium.artifact;

import dev.cambium.model.Digest;

/** An object's bytes are not those that its digest names. */
public class IntegrityException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  private final transient Digest expected;
  private final String where;
  private final String found;

  /**
   * @param where the object or file, for a person to find
   * @param expected the digest that it should have
   * @param found what is there: a digest, or why there is none
   */
  public IntegrityException(String where, Digest expected, String found) {
    super(where + ": expected " + expected + ", found " + found);
    this.where = where;
    this.expected = expected;
    this.found = found;
  }

  /** The object or file. */
  public String where() {
    return where;
  }

  /** The digest that it should have. */
  public Digest expected() {
    return expected;
  }

  /** What is there: a digest's written form, or why there is none. */
  public String found() {
    return found;
  }
}
