/**
 * Self-contained pages and drawings: the fleet as a graph, accuracy, verdicts with their evidence,
 * the time that waves took, the story of a version.
 *
 * <p>Rendering only, from view records of this package to text. Nothing here reads a ledger, a file
 * or the clock, and what is rendered needs no script and nothing from outside.
 */
@NullMarked
package dev.cambium.report;

import org.jspecify.annotations.NullMarked;
