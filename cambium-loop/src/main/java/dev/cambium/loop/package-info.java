/**
 * The closed loop of update and release. {@link dev.cambium.loop.Cambium} is the door: everything
 * that the command line, the demo and a server do with an ecosystem, they do through it.
 */
@NullMarked
package dev.cambium.loop;

import org.jspecify.annotations.NullMarked;
