/**
 * The governor: how the next update of a line is to be made, chosen from what was measured of it by
 * rules that a person can read. Pure: what it looks at comes in, its choice and reasons come out.
 */
@NullMarked
package dev.cambium.loop.governor;

import org.jspecify.annotations.NullMarked;
