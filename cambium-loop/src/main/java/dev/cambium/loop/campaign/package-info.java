/**
 * The turn of the loop: a plan's steps settled one after another, each from candidate over verdict
 * to release, every fact recorded before the next depends on it. Its only memory is the ledger, so
 * running again after a crash goes on where the records end.
 */
@NullMarked
package dev.cambium.loop.campaign;

import org.jspecify.annotations.NullMarked;
