/**
 * Decisions: a candidate against its line's contract, paired by item with the version it would
 * replace. The statistics are in {@code cambium-stats}; here is what they are applied to and what
 * is kept as evidence. Nothing here changes state.
 */
@NullMarked
package dev.cambium.loop.gate;

import org.jspecify.annotations.NullMarked;
