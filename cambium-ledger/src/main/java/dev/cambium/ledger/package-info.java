/**
 * The ledger: the append-only, signed log of facts, and the state that follows from it.
 *
 * <p>Here live the SQL store, the signatures, the projections and the verification of all of them.
 * Nothing here runs an action, reads an artifact's content or decides anything about a model: the
 * ledger takes facts, refuses those that contradict what it holds, and answers questions.
 */
@NullMarked
package dev.cambium.ledger;

import org.jspecify.annotations.NullMarked;
