/**
 * Generation: from prompts to answers, with a cache of keys and values.
 *
 * <p>Token ids in, token ids out. Templates and tokenizers stay in the text package, judging
 * answers in the scoring package; only {@code TextStream} turns ids into text, as they come.
 */
@NullMarked
package dev.cambium.engine.generation;

import org.jspecify.annotations.NullMarked;
