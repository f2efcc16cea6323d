/**
 * The content store: bytes under their SHA-256 digest, and versions as manifests of such bytes.
 *
 * <p>Backends, manifests in and out of directories, deletion of what nobody reaches, and durable
 * file writing live here; file formats live in the packages below. Nothing here knows what a
 * training run, a channel or a ledger is.
 */
@NullMarked
package dev.cambium.artifact;

import org.jspecify.annotations.NullMarked;
