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
import { Attempts, identified, isEnforced, isOneRequest } from "./repeats.js";
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
    const request = identified(method.input, input) as MessageInitShape<I>;
    const headers = this.#with(header);
    const attempts = new Attempts(method, limit, signal);
    for (;;) {
      try {
        this.#refuseWhenClosed();
        const left = attempts.left();
        const answer = await this.#transport.unary(method, signal, left, headers, request, ...context);
        hideSecrets(method.output, answer.message);
        return answer;
      } catch (cause) {
        await attempts.pauseAfter(this.#error(cause, signal));
      }
    }
  }

  /** Until its first answer a stream is repeated as other calls are; then an error is its reader's. */
  async stream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodStreaming<I, O>,
    signal: AbortSignal | undefined,
    timeoutMs: number | undefined,
    header: HeadersInit | undefined,
    input: AsyncIterable<MessageInitShape<I>>,
    ...context: [contextValues?: Parameters<Transport["stream"]>[5]]
  ): Promise<StreamResponse<I, O>> {
    const headers = this.#with(header);
    const attempts = new Attempts(method, timeoutMs, signal);
    const requests = isOneRequest(method) ? await collected(input) : undefined;
    const begin = async (): Promise<StreamResponse<I, O>> => {
      for (;;) {
        try {
          this.#refuseWhenClosed();
          const left = attempts.left();
          const sent = requests === undefined ? input : each(requests);
          return await this.#transport.stream(method, signal, left, headers, sent, ...context);
        } catch (cause) {
          await attempts.pauseAfter(this.#error(cause, signal));
        }
      }
    };
    const first = await begin();
    const again = async (cause: unknown) => {
      await attempts.pauseAfter(this.#error(cause, signal));
      return await begin();
    };
    return { ...first, message: this.#answers(first, again, signal) };
  }

  async *#answers<I extends DescMessage, O extends DescMessage>(
    first: StreamResponse<I, O>,
    again: (cause: unknown) => Promise<StreamResponse<I, O>>,
    signal: AbortSignal | undefined,
  ): StreamResponse<I, O>["message"] {
    let answered = false;
    for (let attempt = first; ; ) {
      try {
        for await (const message of attempt.message) {
          answered = true;
          yield message;
        }
        return;
      } catch (cause) {
        if (answered) {
          throw this.#error(cause, signal);
        }
        attempt = await again(cause);
      }
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

async function collected<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) {
    all.push(item);
  }
  return all;
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T, void, undefined> {
  yield* items;
}
