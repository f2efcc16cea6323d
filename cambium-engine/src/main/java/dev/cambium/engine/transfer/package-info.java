/**
 * Carrying what was learnt on one base to another, on the weights themselves. Reads and writes
 * safetensors one tensor at a time, in plain Java: no tensor library, no model in memory.
 */
@NullMarked
package dev.cambium.engine.transfer;

import org.jspecify.annotations.NullMarked;
