package dev.cambium.model;

import java.time.Instant;

/**
 * A ledger entry. Its canonical JSON is the leaf of the Merkle log.
 *
 * @param index position in the log, from 0
 * @param time when it was appended, to the millisecond
 * @param actor who did it
 * @param fact what happened
 */
public record Record(long index, Instant time, String actor, Fact fact) {}
