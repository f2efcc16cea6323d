/**
 * Answers from the ledger: why a version is what it is, how two versions differ, how the fleet
 * stands. Reads only.
 */
@NullMarked
package dev.cambium.loop.explain;

import org.jspecify.annotations.NullMarked;
