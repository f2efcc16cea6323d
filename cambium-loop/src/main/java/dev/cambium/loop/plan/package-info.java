/**
 * What a campaign would do: the lines that signals reach, in the order in which they must be
 * settled, the rungs that each could take, what it would cost. Planning reads state and changes
 * nothing.
 */
@NullMarked
package dev.cambium.loop.plan;

import org.jspecify.annotations.NullMarked;
