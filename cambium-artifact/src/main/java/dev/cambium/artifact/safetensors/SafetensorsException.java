package dev.cambium.artifact.safetensors;

import java.nio.file.Path;

/** A file is not a well-formed safetensors file. Says where and how. */
public final class SafetensorsException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  private final transient Path file;
  private final String key;
  private final String found;
  private final String expected;

  SafetensorsException(Path file, String key, String found, String expected) {
    super(file + ": " + key + ": found " + found + "; expected " + expected);
    this.file = file;
    this.key = key;
    this.found = found;
    this.expected = expected;
  }

  /** The file refused. */
  public Path file() {
    return file;
  }

  /** The tensor, or the part of the file ({@code header}, {@code header length}, {@code data}). */
  public String key() {
    return key;
  }

  /** What is there. */
  public String found() {
    return found;
  }

  /** What should be there. */
  public String expected() {
    return expected;
  }
}
