package dev.cambium.ledger;

/**
 * A checkpoint that was kept elsewhere, to hold a log against. It is opened by the keys that the
 * log's own records name, so that a log whose records were altered is verified, too.
 *
 * @param name where it was kept, for messages
 * @param note its signed note
 */
public record Witness(String name, String note) {}
