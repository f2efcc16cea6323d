package dev.cambium.report;

/**
 * A paragraph.
 *
 * @param text plain text
 */
public record Note(String text) implements Block {}
