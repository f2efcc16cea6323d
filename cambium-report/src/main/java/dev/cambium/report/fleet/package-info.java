/**
 * From an ecosystem's records to what pages show. The only part of this module that knows the loop.
 */
@NullMarked
package dev.cambium.report.fleet;

import org.jspecify.annotations.NullMarked;
