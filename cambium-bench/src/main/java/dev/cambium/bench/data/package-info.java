/** Real data, cut into lessons, and the foundations that benchmarks pre-train on its text. */
@NullMarked
package dev.cambium.bench.data;

import org.jspecify.annotations.NullMarked;
