package dev.doorward;

import dev.doorward.v1.Session;

/**
 * A session and its credential, which no later call answers. Its text leaves the credential out, which that of
 * a message of {@code dev.doorward.v1} does not.
 *
 * @param session the session
 * @param credential the value of the browser's cookie {@code __Host-doorward}
 */
public record NewSession(Session session, String credential) {
  @Override
  public String toString() {
    return "NewSession[" + session.getSessionId() + " with " + session.getHost() + "]";
  }
}
