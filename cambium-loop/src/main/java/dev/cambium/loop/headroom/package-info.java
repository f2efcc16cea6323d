/**
 * How well versions still learn, relative to their foundation: the tasks that a probe lets them
 * learn, and what its curves say. Nothing here decides; the gate does.
 */
@NullMarked
package dev.cambium.loop.headroom;

import org.jspecify.annotations.NullMarked;
