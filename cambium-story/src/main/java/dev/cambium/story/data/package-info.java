/**
 * The demo's world: a bank help desk from which training rows, suite items and pre-training text
 * are drawn, from one seed.
 *
 * <p>Only values are made here. Nothing in this package reads or writes a file, trains a model or
 * knows of campaigns; that is {@code dev.cambium.story}.
 */
@NullMarked
package dev.cambium.story.data;

import org.jspecify.annotations.NullMarked;
