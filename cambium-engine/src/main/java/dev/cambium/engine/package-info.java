@NullMarked
package dev.cambium.engine;

import org.jspecify.annotations.NullMarked;
