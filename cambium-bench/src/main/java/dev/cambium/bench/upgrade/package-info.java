/**
 * What upgrades of a foundation do to a fleet: real training on real and generated data, the
 * product's own campaign beside a real retraining of every line and the naive way. Nothing here is
 * part of the product.
 */
@NullMarked
package dev.cambium.bench.upgrade;

import org.jspecify.annotations.NullMarked;
