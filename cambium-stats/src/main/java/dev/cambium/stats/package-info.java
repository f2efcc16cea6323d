/**
 * Statistics for decisions: anytime-valid tests by betting, and fixed-sample tests and intervals to
 * report beside them.
 *
 * <p>Everything here is a function of numbers. No I/O, no clock, no logging, no other Cambium
 * module; randomness only from a seed that the caller gives. A test never turns missing data into
 * evidence.
 */
@NullMarked
package dev.cambium.stats;

import org.jspecify.annotations.NullMarked;
