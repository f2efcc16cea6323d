/**
 * The training loop: a mix of token rows in, moved weights out.
 *
 * <p>Knows token ids, not text, and calls the decoder only through {@link
 * dev.cambium.engine.decoder.Trainable}. What varies is composed: objective, regularizer, data mix.
 */
@NullMarked
package dev.cambium.engine.training;

import org.jspecify.annotations.NullMarked;
