package dev.cambium.loop.action;

import dev.cambium.model.Digest;
import org.jspecify.annotations.Nullable;

/**
 * What runs when a version runs: a whole model, perhaps an adapter on it, perhaps an application
 * around it.
 *
 * @param model manifest of the whole model
 * @param adapter manifest of the adapter
 * @param application manifest of the application
 */
public record EffectiveModel(
    Digest model, @Nullable Digest adapter, @Nullable Digest application) {}
