/**
 * The engine as the rest of Cambium sees it: load a model, score it, talk to it, train it, make a
 * fresh one. Directories, rows, items and messages in; directories, outcomes and text out.
 *
 * <p>No tensor type appears here, nor anywhere outside this module.
 */
@NullMarked
package dev.cambium.engine;

import org.jspecify.annotations.NullMarked;
