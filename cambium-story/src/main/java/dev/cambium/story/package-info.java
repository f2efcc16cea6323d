/**
 * The demo: a small, real fleet taken through its life. What happens is decided by the loop on the
 * data that {@code dev.cambium.story.data} generates; here is only the order of events and what is
 * told about them.
 */
@NullMarked
package dev.cambium.story;

import org.jspecify.annotations.NullMarked;
