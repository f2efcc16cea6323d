package dev.cambium.artifact.huggingface;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * Something that does not fit.
 *
 * @param file the file's name within the directory; {@code .} for the directory itself
 * @param key what in the file: a field, a tensor; empty for the file as a whole
 * @param found what is there
 * @param expected what should be there
 * @param remedy what a person can do about it
 */
public record Problem(
    Severity severity, String file, String key, String found, String expected, String remedy) {

  /** What follows from a problem. */
  public enum Severity {
    /** Not let in as it is. */
    @JsonProperty("refused")
    REFUSED,
    /** Let in; a person should know. */
    @JsonProperty("warning")
    WARNING
  }

  /** One line for a person. */
  public String line() {
    return file
        + (key.isEmpty() ? "" : ": " + key)
        + ": found "
        + found
        + "; expected "
        + expected
        + ". "
        + remedy;
  }
}
