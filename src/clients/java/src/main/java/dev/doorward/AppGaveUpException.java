package dev.doorward;

import dev.doorward.v1.AppStatus;

/** An app that was waited for has failed, or is going, and will not reach the state. */
public final class AppGaveUpException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final AppStatus status;

  AppGaveUpException(String message, AppStatus status) {
    super(message);
    this.status = status;
  }

  /** The last one seen. */
  public AppStatus status() {
    return status;
  }
}
