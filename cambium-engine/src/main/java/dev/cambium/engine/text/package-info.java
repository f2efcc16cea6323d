/**
 * From text to token ids and back: tokenizers, chat templates, and the one encoding of rows, items
 * and conversations that training, evaluation and serving share.
 *
 * <p>Nothing here knows of tensors or weights.
 */
@NullMarked
package dev.cambium.engine.text;

import org.jspecify.annotations.NullMarked;
