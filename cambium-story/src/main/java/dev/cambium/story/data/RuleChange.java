package dev.cambium.story.data;

/**
 * A rule of the bank that changes.
 *
 * @param product that it is about
 * @param attribute which of the product's facts, such as {@code fee}
 * @param before the answer until now
 * @param after the answer from now on
 */
public record RuleChange(String product, String attribute, String before, String after) {}
