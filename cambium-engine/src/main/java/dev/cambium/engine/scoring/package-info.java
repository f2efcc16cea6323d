/**
 * Scoring: what a model does on the items of a suite, judged item by item.
 *
 * <p>A judgement is right, wrong or undecidable; whatever went wrong on the way to an answer is
 * undecidable and never right. Statistics over judgements are elsewhere.
 */
@NullMarked
package dev.cambium.engine.scoring;

import org.jspecify.annotations.NullMarked;
