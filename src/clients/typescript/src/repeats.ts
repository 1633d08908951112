/**
 * Which calls the client repeats by itself, read from the protos, and how.
 *
 * Repeated is only what may go better a moment later: UNAVAILABLE, which is what a connection that cannot be
 * made or breaks gives, and RESOURCE_EXHAUSTED when the server itself says when to come back. And only a call
 * that does no harm when it happens twice: one whose `idempotency_level` says so, or a create, whose
 * `request_id` makes the second answer what the first one made. Every repeat is within the call's deadline. What
 * a lost first attempt did shows in the answer to the second: a delete may answer NOT_FOUND, an update with an
 * etag ABORTED.
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

/** The longest wait before each repeat, in milliseconds; there are no more repeats than these. */
const DELAYS_MS = [100, 300, 900, 2000];

/** Whether calling a method twice does what calling it once does, and what was sent is at hand a second time. */
export function mayBeRepeated(method: DescMethod): boolean {
  const level = method.idempotency;
  const harmless = level !== MethodOptions_IdempotencyLevel.IDEMPOTENCY_UNKNOWN;
  return isOneRequest(method) && (harmless || "requestId" in method.input.field);
}

/** Whether one message is sent: so it is with all calls of the API. */
export function isOneRequest(method: DescMethod): boolean {
  return method.methodKind === "unary" || method.methodKind === "server_streaming";
}

/** Whether it answers how far a change has reached, which may take as long as a policy lease. */
export function isEnforced(method: DescMethod): boolean {
  return "policyUpdate" in method.output.field;
}

/** Whether the same call may go well a moment later. */
function mayGoBetter(error: DoorwardError): boolean {
  const asked = error.code === Code.ResourceExhausted && error.retryAfterMs !== undefined;
  return asked || error.code === Code.Unavailable;
}

/** The attempts of one call: what time is left for the next, and how long to wait before it. */
export class Attempts {
  readonly #deadline: number | undefined;
  readonly #delaysMs: number[];
  readonly #signal: AbortSignal | undefined;

  /** Begins a call that may take `limitMs` altogether, or as long as it takes. */
  constructor(method: DescMethod, limitMs: number | undefined, signal: AbortSignal | undefined) {
    this.#deadline = limitMs === undefined ? undefined : performance.now() + limitMs;
    this.#delaysMs = mayBeRepeated(method) ? [...DELAYS_MS] : [];
    this.#signal = signal;
  }

  /** How long an attempt has that begins now, in milliseconds. */
  left(): number | undefined {
    return this.#deadline && Math.max(1, Math.ceil(this.#deadline - performance.now()));
  }

  /**
   * Waits before the next attempt, or throws the error when there is to be none.
   *
   * Anything up to the delay, after what the server has asked for ("full jitter"), so that clients that failed
   * together come back apart.
   */
  async pauseAfter(error: DoorwardError): Promise<void> {
    const longest = mayGoBetter(error) ? this.#delaysMs.shift() : undefined;
    if (longest === undefined) {
      throw error;
    }
    const delay = Math.random() * longest + (error.retryAfterMs ?? 0);
    const inTime = this.#deadline === undefined || performance.now() + delay < this.#deadline;
    if (!inTime || !(await pause(delay, this.#signal))) {
      throw error;
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

/** Waits; false when the signal comes first. */
export function pause(delayMs: number, signal?: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(finish, delayMs, true);
    const aborted = () => finish(false);
    function finish(whole: boolean): void {
      clearTimeout(timer);
      signal?.removeEventListener("abort", aborted);
      resolve(whole);
    }
    if (signal?.aborted) {
      finish(false);
    } else {
      signal?.addEventListener("abort", aborted);
    }
  });
}
