@NullMarked
package dev.cambium.story;

import org.jspecify.annotations.NullMarked;
