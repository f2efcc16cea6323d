/**
 * The decoder-only transformer of the Llama family: its configuration, weights, files, forward
 * pass, key-value cache and low-rank adapters.
 *
 * <p>No training loop, no text, no sampling. Tensors of the native library appear in signatures
 * only where another package of the engine needs them, and never outside the engine.
 */
@NullMarked
package dev.cambium.engine.decoder;

import org.jspecify.annotations.NullMarked;
