/**
 * Carrying what was learnt on one base to another, merging models, and taking adapters out of them,
 * on the weights themselves. Reads and writes safetensors piece by piece, in plain Java. What needs
 * a whole matrix (regression, singular values), runs a model (inputs of layers) or loads a result
 * again to see whether it is right uses the tensor library.
 */
@NullMarked
package dev.cambium.engine.transfer;

import org.jspecify.annotations.NullMarked;
