@NullMarked
package dev.cambium.loop;

import org.jspecify.annotations.NullMarked;
