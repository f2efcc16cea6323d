/**
 * The safetensors file format, in and out: named tensors in one file, memory-mapped.
 *
 * <p>The reader trusts nothing and refuses by name; the writer gives the same bytes for the same
 * tensors. Bytes and shapes only: no arithmetic, no knowledge of models, no engine types.
 */
@NullMarked
package dev.cambium.artifact.safetensors;

import org.jspecify.annotations.NullMarked;
