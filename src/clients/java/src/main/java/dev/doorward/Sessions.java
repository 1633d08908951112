package dev.doorward;

import dev.doorward.v1.CreateSessionRequest;
import dev.doorward.v1.CreateSessionResponse;
import dev.doorward.v1.DeleteSessionRequest;
import dev.doorward.v1.DeleteSessionResponse;
import dev.doorward.v1.SessionServiceGrpc;

/** Sessions of the token that the client uses, each with one app. Every method throws {@link DoorwardException} when its call fails. */
public final class Sessions {
  private final Calls calls;

  Sessions(Calls calls) {
    this.calls = calls;
  }

  /** Begins a session with the app at a host. Never repeated by the client. */
  public NewSession createSession(CreateSessionRequest request) {
    CreateSessionResponse answer = calls.unary(SessionServiceGrpc.getCreateSessionMethod(), request);
    return new NewSession(answer.getSession(), answer.getCredential());
  }

  /** Ends a session, which no replica takes any more when this returns. */
  public DeleteSessionResponse deleteSession(DeleteSessionRequest request) {
    return calls.unary(SessionServiceGrpc.getDeleteSessionMethod(), request);
  }
}
