/**
 * Cambium beside torch, transformers and PEFT: the same work on the same rows, in turn, in one run.
 * Nothing here is used by another module.
 */
@NullMarked
package dev.cambium.bench.peer;

import org.jspecify.annotations.NullMarked;
