/**
 * What users bring: suites and data rows, read from JSON lines and CSV and refused by row and
 * reason where they cannot be; the overlap of the two; the rows set aside.
 *
 * <p>Reads files and decides nothing about versions: no ledger, no engine, no declaration here.
 */
@NullMarked
package dev.cambium.loop.data;

import org.jspecify.annotations.NullMarked;
