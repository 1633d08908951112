/// <reference lib="esnext.disposable" preserve="true" />

/**
 * A client of Doorward for Node.js, over gRPC. `@doorward/client/web` is the one for browsers.
 *
 *     const client = new Client("127.0.0.1:8081", { token });
 *     for await (const app of client.apps.all({ labelSelector: "group=A" })) {
 *       console.log(app.displayName, app.status?.url);
 *     }
 */
import { readFileSync } from "node:fs";
import type { SecureClientSessionOptions } from "node:http2";
import { connect } from "node:net";
import type { ConnectError } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { Calls } from "./calls.js";
import { ConfigurationError } from "./errors.js";
import { type ClientOptions, checkOptions, encrypts } from "./options.js";
import { Services } from "./services.js";
import { parseTarget } from "./target.js";
import { VERSION } from "./version.js";

export { Code } from "@connectrpc/connect";
export * from "./shared.js";

/** A page of 1000 apps with all the labels they may have fits. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** How the api's certificate is checked. The defaults are right for one from a public authority. */
export interface TlsOptions {
  /** A PEM file with the authorities to trust, instead of Node's. */
  caFile?: string;
  /** The name that the certificate must have, when it is not the host of the address. */
  serverName?: string;
}

/** How a client of Node.js calls. */
export interface NodeClientOptions extends ClientOptions {
  /** Asks for encryption where there would be none, and says how the api's certificate is checked. */
  tls?: TlsOptions;
}

/** A client of one api. Close it when done. */
export class Client extends Services {
  readonly #calls: Calls;
  readonly #sessions: Http2SessionManager;

  /**
   * Makes a client of the api at `host:port`, `[IPv6]:port` or `unix:/path`. It connects at the first call.
   *
   * The connection is encrypted, except to a loopback address or a Unix socket without `tls`; `insecure` allows
   * plain text elsewhere. Throws `ConfigurationError` for what cannot work.
   */
  constructor(address: string, options: NodeClientOptions = {}) {
    checkOptions(options);
    const target = parseTarget(address);
    const encrypted = encrypts(target, options.tls !== undefined, options.insecure);
    const authority = target.socket === undefined ? target.address : "localhost";
    const baseUrl = `${encrypted ? "https" : "http"}://${authority}`;
    // A stream may be silent for hours; find out when its other end is gone. Servers take pings that are more
    // frequent than every five minutes for an attack (gRFC A8).
    const pings = { pingIntervalMs: 310_000, pingTimeoutMs: 20_000 };
    const sessions = new Http2SessionManager(baseUrl, pings, connection(target.socket, options.tls));
    const transport = createGrpcTransport({
      baseUrl,
      sessionManager: sessions,
      readMaxBytes: MAX_ANSWER_BYTES,
    });
    const headers = { "user-agent": `doorward-typescript/${VERSION}` };
    const calls = new Calls(transport, target.address, options, headers, isOfNode);
    super(calls, encrypted);
    this.#calls = calls;
    this.#sessions = sessions;
  }

  /** Makes a client of what `DOORWARD_ADDRESS`, `DOORWARD_TOKEN` and `DOORWARD_CA_FILE` say. */
  static fromEnv(): Client {
    const { DOORWARD_ADDRESS: address, DOORWARD_TOKEN: token, DOORWARD_CA_FILE: caFile } = process.env;
    if (!address) {
      throw new ConfigurationError("no address: set DOORWARD_ADDRESS");
    }
    return new Client(address, { ...(token ? { token } : {}), ...(caFile ? { tls: { caFile } } : {}) });
  }

  /** Ends what runs and closes the connection. Calls after it fail. */
  close(): void {
    this.#calls.close();
    this.#sessions.abort();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Node says with a code what becomes of sockets and TLS; only a deadline and an abort have none. */
function isOfNode(cause: ConnectError): boolean {
  const said = cause.cause;
  return (
    said instanceof Error && "code" in said && typeof said.code === "string" && said.name !== "AbortError"
  );
}

function connection(socket: string | undefined, tls: TlsOptions = {}): SecureClientSessionOptions {
  return {
    ...(socket === undefined ? {} : { createConnection: () => connect(socket) }),
    ...(tls.caFile === undefined ? {} : { ca: authorities(tls.caFile) }),
    ...(tls.serverName === undefined ? {} : { servername: tls.serverName }),
  };
}

function authorities(file: string): Buffer {
  let pem: Buffer;
  try {
    pem = readFileSync(file);
  } catch (cause) {
    throw new ConfigurationError(`CA file ${file} cannot be read`, { cause });
  }
  if (!pem.includes("-----BEGIN CERTIFICATE-----")) {
    throw new ConfigurationError(`CA file ${file}: no PEM certificate in it`);
  }
  return pem;
}
