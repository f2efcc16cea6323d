/**
 * Models as GGUF files, for llama.cpp and what is built on it. Out only: nothing is read from the
 * format, and no native code runs here.
 */
@NullMarked
package dev.cambium.artifact.gguf;

import org.jspecify.annotations.NullMarked;
