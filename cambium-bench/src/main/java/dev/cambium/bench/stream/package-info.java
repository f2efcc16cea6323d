/**
 * Streams of tasks that one line learns one after the other for a long time, the ways to learn them
 * that Cambium is compared with, and Cambium itself through its own loop. Real training, real data;
 * nothing here is part of the product.
 */
@NullMarked
package dev.cambium.bench.stream;

import org.jspecify.annotations.NullMarked;
