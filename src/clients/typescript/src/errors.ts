import { Code, type ConnectError } from "@connectrpc/connect";
import type { AppStatus } from "./gen/doorward/v1/app_pb.js";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "./gen/google/rpc/error_details_pb.js";

const REQUEST_ID = "doorward-request-id";

/** The client was set up in a way that cannot work. Nothing was sent. */
export class ConfigurationError extends Error {
  override name = "ConfigurationError";
}

/** One field that breaks a rule. */
export interface FieldViolation {
  /** The field's path in the request, such as `app.labels`. */
  readonly field: string;
  /** The rule, and how the value breaks it. */
  readonly description: string;
}

/** A call failed. Its text is one line and never holds a token; its cause is Connect's own error. */
export class DoorwardError extends Error {
  override name = "DoorwardError";
  /** How it failed. */
  readonly code: Code;
  /** Name of a value of `ErrorReason` in protos/; empty when the error did not come from Doorward. */
  readonly reason: string;
  /** What the comment of that value says, such as `app_id`. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The fields that break a rule. */
  readonly fieldViolations: readonly FieldViolation[];
  /** The id under which the server's log and audit have the call; empty when no answer came. */
  readonly requestId: string;
  /** When the server asks to try again, in milliseconds from now. */
  readonly retryAfterMs: number | undefined;

  constructor(said: ConnectError, address: string, cause: unknown) {
    const info = said.findDetails(ErrorInfoSchema)[0];
    const violations = said.findDetails(BadRequestSchema).flatMap((detail) => detail.fieldViolations);
    const delay = said.findDetails(RetryInfoSchema)[0]?.retryDelay;
    super(describe(said, info?.reason ?? "", violations, address), { cause });
    this.code = said.code;
    this.reason = info?.reason ?? "";
    this.metadata = { ...info?.metadata };
    this.fieldViolations = violations.map(({ field, description }) => ({ field, description }));
    this.requestId = oneLine(said.metadata.get(REQUEST_ID)?.split(",")[0] ?? "");
    this.retryAfterMs = delay && Math.max(0, Number(delay.seconds) * 1000 + delay.nanos / 1e6);
  }
}

/** An app that was waited for has failed, or is going, and will not reach the state. */
export class AppGaveUp extends Error {
  override name = "AppGaveUp";

  constructor(
    message: string,
    /** The last one seen. */
    readonly status: AppStatus | undefined,
  ) {
    super(message);
  }
}

/** A token was created, and the answer with its secret was lost. Regenerate it to have a new one. */
export class SecretLost extends Error {
  override name = "SecretLost";

  constructor(readonly tokenId: string) {
    super(
      `token ${tokenId} was created by an earlier request, whose answer alone had the secret: ` +
        "regenerate it to have a new one",
    );
  }
}

/** What the server says, or which server it was that said nothing. */
function describe(said: ConnectError, reason: string, violations: FieldViolation[], address: string): string {
  if (violations.length > 0) {
    return oneLine(violations.map(({ field, description }) => `${field}: ${description}`).join("; "));
  }
  const text = oneLine(said.rawMessage);
  if (reason !== "") {
    return text;
  }
  switch (said.code) {
    case Code.Unavailable:
      return `the api at ${address} cannot be reached: ${text}`;
    case Code.DeadlineExceeded:
      return `the api at ${address} did not answer in time`;
    default:
      return text || `the api at ${address} answered ${Code[said.code]} and no reason`;
  }
}

/** Escapes all that could move a terminal's cursor or turn its text. */
export function oneLine(text: string): string {
  const escaped = (each: string) => `\\u{${each.codePointAt(0)?.toString(16)}}`;
  return text.trim().replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, escaped);
}
