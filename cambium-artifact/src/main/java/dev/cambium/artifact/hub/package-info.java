/**
 * Models from a hub that speaks the HTTP API of huggingface.co: found by name and revision, fetched
 * with resumption, and believed by their digests only.
 *
 * <p>Only safetensors, JSON and text are ever asked for. What is fetched is a directory like any
 * other; whether it is let in is decided where directories are. Nothing here knows what a version
 * or a ledger is.
 */
@NullMarked
package dev.cambium.artifact.hub;

import org.jspecify.annotations.NullMarked;
