/**
 * The native library under the engine: how it is loaded, with which BLAS, kernel and threads, and
 * the fingerprint under which digests of trained weights may be compared.
 *
 * <p>Knows nothing of models. Everything else in the engine calls {@link
 * dev.cambium.engine.backend.Backend#instance()} before it touches a tensor.
 */
@NullMarked
package dev.cambium.engine.backend;

import org.jspecify.annotations.NullMarked;
