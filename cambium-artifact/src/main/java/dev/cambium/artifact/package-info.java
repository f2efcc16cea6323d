@NullMarked
package dev.cambium.artifact;

import org.jspecify.annotations.NullMarked;
