import type { DescMessage, DescMethodStreaming, DescMethodUnary, MessageInitShape } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  type StreamResponse,
  type Transport,
  type UnaryResponse,
} from "@connectrpc/connect";
import { DoorwardError } from "./errors.js";
import type { ClientOptions } from "./options.js";
import { delaysMs, identified, isEnforced, isWorthRepeating } from "./repeats.js";
import { hideSecrets } from "./secrets.js";

const TIMEOUT_MS = 30_000;
const ENFORCEMENT_TIMEOUT_MS = 60_000;

/** Whether a failure is one to reach the api, as far as the platform says. */
export type Unreached = (cause: ConnectError) => boolean;

/** A transport whose calls have the client's token and a deadline, are repeated, and fail with its errors. */
export class Calls implements Transport {
  readonly #transport: Transport;
  readonly #address: string;
  readonly #headers: Record<string, string>;
  readonly #unreached: Unreached;
  #closed = false;
  readonly #timeoutMs: number;
  readonly #enforcementTimeoutMs: number;

  constructor(
    transport: Transport,
    address: string,
    options: ClientOptions,
    headers: Record<string, string>,
    unreached: Unreached,
  ) {
    this.#transport = transport;
    this.#address = address;
    // RFC 6750 §2.1
    this.#headers =
      options.token === undefined ? headers : { ...headers, authorization: `Bearer ${options.token}` };
    this.#unreached = unreached;
    this.#timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    this.#enforcementTimeoutMs = options.enforcementTimeoutMs ?? ENFORCEMENT_TIMEOUT_MS;
  }

  async unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    signal: AbortSignal | undefined,
    timeoutMs: number | undefined,
    header: HeadersInit | undefined,
    input: MessageInitShape<I>,
    ...context: [contextValues?: Parameters<Transport["unary"]>[5]]
  ): Promise<UnaryResponse<I, O>> {
    const limit = timeoutMs ?? (isEnforced(method) ? this.#enforcementTimeoutMs : this.#timeoutMs);
    const deadline = performance.now() + limit;
    const request = identified(method.input, input) as MessageInitShape<I>;
    const headers = this.#with(header);
    const repeats = delaysMs(method);
    for (;;) {
      try {
        this.#refuseWhenClosed();
        const left = Math.max(1, Math.ceil(deadline - performance.now()));
        const answer = await this.#transport.unary(method, signal, left, headers, request, ...context);
        hideSecrets(method.output, answer.message);
        return answer;
      } catch (cause) {
        const error = this.#error(cause, signal);
        const next = isWorthRepeating(error) ? repeats.next() : { done: true as const };
        if (next.done) {
          throw error;
        }
        const delay = Math.max(next.value, error.retryAfterMs ?? 0);
        if (performance.now() + delay >= deadline || !(await pause(delay, signal))) {
          throw error;
        }
      }
    }
  }

  async stream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodStreaming<I, O>,
    signal: AbortSignal | undefined,
    timeoutMs: number | undefined,
    header: HeadersInit | undefined,
    input: AsyncIterable<MessageInitShape<I>>,
    ...context: [contextValues?: Parameters<Transport["stream"]>[5]]
  ): Promise<StreamResponse<I, O>> {
    const headers = this.#with(header);
    try {
      this.#refuseWhenClosed();
      const answer = await this.#transport.stream(method, signal, timeoutMs, headers, input, ...context);
      return { ...answer, message: this.#failing(answer.message, signal) };
    } catch (cause) {
      throw this.#error(cause, signal);
    }
  }

  async *#failing<T>(messages: AsyncIterable<T>, signal: AbortSignal | undefined): AsyncIterable<T> {
    try {
      yield* messages;
    } catch (cause) {
      throw this.#error(cause, signal);
    }
  }

  /** Whatever fails from now on was ended from here. */
  close(): void {
    this.#closed = true;
  }

  #refuseWhenClosed(): void {
    if (this.#closed) {
      throw new ConnectError("the client is closed", Code.Canceled);
    }
  }

  #error(cause: unknown, signal: AbortSignal | undefined): DoorwardError {
    const error = ConnectError.from(cause);
    // A connection that breaks cancels what runs on it. Who answers has headers.
    const broken = error.code === Code.Canceled && [...error.metadata].length === 0;
    const ended = this.#closed || signal?.aborted;
    const unreached = this.#unreached(error) || (broken && !ended);
    const said = unreached ? new ConnectError(error.rawMessage, Code.Unavailable, error.metadata) : error;
    return new DoorwardError(said, this.#address, error);
  }

  #with(header: HeadersInit | undefined): Headers {
    const headers = new Headers(header);
    for (const [name, value] of Object.entries(this.#headers)) {
      headers.set(name, value);
    }
    return headers;
  }
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
