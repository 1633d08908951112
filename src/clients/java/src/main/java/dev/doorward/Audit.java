package dev.doorward;

import dev.doorward.v1.AuditEvent;
import dev.doorward.v1.AuditServiceGrpc;
import dev.doorward.v1.ListAuditEventsRequest;
import dev.doorward.v1.ListAuditEventsResponse;

/** Who did what. Needs ADMIN. Every method throws {@link DoorwardException} when its call fails. */
public final class Audit {
  private final Calls calls;

  Audit(Calls calls) {
    this.calls = calls;
  }

  /** Answers one page of what was done, newest first. */
  public ListAuditEventsResponse listAuditEvents(ListAuditEventsRequest request) {
    return calls.unary(AuditServiceGrpc.getListAuditEventsMethod(), request);
  }

  /** What was done, newest first, whatever the page. */
  public Items<AuditEvent> all(ListAuditEventsRequest request) {
    return new Items<>(
        request.getPageToken(),
        pageToken -> {
          var page = listAuditEvents(request.toBuilder().setPageToken(pageToken).build());
          return new Items.Page<>(page.getAuditEventsList(), page.getNextPageToken());
        });
  }
}
