/**
 * Hugging Face model directories and PEFT adapters, looked at before they are let in.
 *
 * <p>Reads configurations, headers, tokenizers' vocabularies and every weight once, and names what
 * does not fit. Nothing is run, no pickle is ever opened, nothing is computed with the weights but
 * whether they are finite and not all zero.
 */
@NullMarked
package dev.cambium.artifact.huggingface;

import org.jspecify.annotations.NullMarked;
