import type { MessageInitShape } from "@bufbuild/protobuf";
import { type CallOptions, type Client as ConnectClient, createClient } from "@connectrpc/connect";
import { again } from "./apps.js";
import type { Calls } from "./calls.js";
import {
  type AuditEvent,
  AuditService,
  type ListAuditEventsRequestSchema,
} from "./gen/doorward/v1/audit_service_pb.js";
import { items } from "./pages.js";

/** Who did what: the calls of `AuditService`, and `all`. */
export interface Audit extends ConnectClient<typeof AuditService> {
  /** What was done, newest first, whatever the page. Each loop asks again. */
  all(
    request?: MessageInitShape<typeof ListAuditEventsRequestSchema>,
    options?: CallOptions,
  ): AsyncIterable<AuditEvent>;
}

/** Who did what, by these calls. */
export function auditOf(calls: Calls): Audit {
  const service = createClient(AuditService, calls);
  return {
    ...service,
    all: (request = {}, options = {}) =>
      again(() =>
        items(
          (pageToken) => service.listAuditEvents({ ...request, pageToken }, options),
          (page) => page.auditEvents,
          request.pageToken,
        ),
      ),
  };
}
