@NullMarked
package dev.cambium.stats;

import org.jspecify.annotations.NullMarked;
