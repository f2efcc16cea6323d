/**
 * The ecosystem as its owners declare it: {@code ecosystem.yaml}, read strictly and checked as a
 * whole, with every problem named by line and column.
 *
 * <p>Nothing here knows what versions exist or what happened: that is the ledger's.
 */
@NullMarked
package dev.cambium.loop.declaration;

import org.jspecify.annotations.NullMarked;
