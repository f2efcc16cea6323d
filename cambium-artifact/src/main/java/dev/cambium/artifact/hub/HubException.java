package dev.cambium.artifact.hub;

/**
 * What was asked of a hub cannot be had, or what it gave cannot be used; asking again is no help.
 */
public final class HubException extends IllegalArgumentException {

  private static final long serialVersionUID = 1L;

  HubException(String message) {
    super(message);
  }
}
