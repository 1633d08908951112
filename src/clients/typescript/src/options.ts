import { ConfigurationError } from "./errors.js";
import type { Target } from "./target.js";

/** How a client calls. */
export interface ClientOptions {
  /** Goes with every call. Calls carry none without it. */
  token?: string;
  /** Allows plain text to an address that is not on this machine: it shows the token to all on the way. */
  insecure?: boolean;
  /** How long a call may take, in milliseconds. 30 000 when not given. Streams have no limit. */
  timeoutMs?: number;
  /**
   * How long a call may take that answers how far a change has reached: it may wait for the server's policy
   * lease. 60 000 when not given.
   */
  enforcementTimeoutMs?: number;
}

/** Throws for options that cannot work. */
export function checkOptions(options: ClientOptions): void {
  // What an HTTP library says of a header that it cannot send has the header in it.
  if (options.token !== undefined && !/^[!-~]+$/.test(options.token)) {
    throw new ConfigurationError("the token has characters that no token has, or none at all");
  }
  for (const limit of [options.timeoutMs, options.enforcementTimeoutMs]) {
    if (limit !== undefined && !(limit > 0 && Number.isFinite(limit))) {
      throw new ConfigurationError(`a time limit must be positive and finite, not ${limit} ms`);
    }
  }
}

/** Whether what is sent to a target is encrypted. Throws when TLS is both asked for and given up. */
export function encrypts(target: Target, tls: boolean, insecure: boolean | undefined): boolean {
  if (tls && insecure) {
    throw new ConfigurationError("tls and insecure contradict each other: give one of them");
  }
  return tls || !(insecure || target.local);
}
