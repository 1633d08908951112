/**
 * Which calls the client repeats by itself, read from the protos, and how.
 *
 * Only UNAVAILABLE is repeated, which is what a connection that cannot be made or breaks gives, and only a call
 * that does no harm when it happens twice: one whose `idempotency_level` says so, or a create, whose
 * `request_id` makes the second answer what the first one made. What a lost first attempt did shows in the
 * answer to the second: a delete may answer NOT_FOUND, an update with an etag ABORTED.
 */
import {
  clone,
  create,
  type DescMessage,
  type DescMethod,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import type { DoorwardError } from "./errors.js";

/** Before each repeat, in milliseconds, before they are spread; there are no more than these. */
const DELAYS_MS = [100, 200, 400, 800];

/** Whether calling a method twice does what calling it once does. */
export function mayBeRepeated(method: DescMethod): boolean {
  const level = method.idempotency;
  return level !== MethodOptions_IdempotencyLevel.IDEMPOTENCY_UNKNOWN || "requestId" in method.input.field;
}

/** Whether it answers how far a change has reached, which may take as long as a policy lease. */
export function isEnforced(method: DescMethod): boolean {
  return "policyUpdate" in method.output.field;
}

/** Whether the same call may go well a moment later. */
export function isWorthRepeating(error: DoorwardError): boolean {
  return error.code === Code.Unavailable;
}

/** How long to wait before each repeat: none when the call must not be repeated. */
export function* delaysMs(method: DescMethod): Generator<number> {
  if (mayBeRepeated(method)) {
    for (const delay of DELAYS_MS) {
      yield delay * (0.5 + Math.random()); // clients that failed together come back apart
    }
  }
}

/** The request, with an id of its own when it has room for one and the caller gave none. */
export function identified<I extends DescMessage>(schema: I, input: MessageInitShape<I>): MessageShape<I> {
  const request = create(schema, input);
  const field = schema.field.requestId;
  if (field === undefined || field.fieldKind !== "scalar") {
    return request;
  }
  if (reflect(schema, request).get(field) !== "") {
    return request;
  }
  const copy = clone(schema, request);
  reflect(schema, copy).set(field, newId());
  return copy;
}

/** A UUID of version 4. `crypto.randomUUID` is missing on pages that are not served over TLS. */
function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const hex = Array.from(bytes, (byte, index) => {
    const versioned = index === 6 ? (byte & 0x0f) | 0x40 : index === 8 ? (byte & 0x3f) | 0x80 : byte;
    return versioned.toString(16).padStart(2, "0");
  }).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
