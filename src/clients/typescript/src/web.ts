/** A client of Doorward for browsers, over gRPC-Web, which Envoy turns into gRPC. */
import type { ConnectError } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { Calls } from "./calls.js";
import { ConfigurationError } from "./errors.js";
import { type ClientOptions, checkOptions, encrypts } from "./options.js";
import { Services } from "./services.js";
import { parseTarget } from "./target.js";
import { VERSION } from "./version.js";

export { Code } from "@connectrpc/connect";
export * from "./shared.js";

/** How a client of a browser calls. */
export interface WebClientOptions extends ClientOptions {
  /** Asks for encryption where there would be none. The browser checks the certificate. */
  tls?: boolean;
}

/** A client of one api, through Envoy. */
export class Client extends Services {
  /**
   * Makes a client of the api that Envoy serves at `host:port` or `[IPv6]:port`.
   *
   * The connection is encrypted, except to a loopback address without `tls`; `insecure` allows plain text
   * elsewhere. Throws `ConfigurationError` for what cannot work.
   */
  constructor(address: string, options: WebClientOptions = {}) {
    checkOptions(options);
    const target = parseTarget(address);
    if (target.socket !== undefined) {
      throw new ConfigurationError("a browser reaches no Unix socket");
    }
    const encrypted = encrypts(target, options.tls ?? false, options.insecure);
    const baseUrl = `${encrypted ? "https" : "http"}://${target.address}`;
    const headers = { "x-user-agent": `doorward-typescript-web/${VERSION}` };
    const transport = createGrpcWebTransport({ baseUrl });
    super(new Calls(transport, target.address, options, headers, isTypeError), encrypted);
  }
}

/** Fetch says nothing else of a server that it cannot reach (Fetch §5.6). */
function isTypeError(cause: ConnectError): boolean {
  return cause.cause instanceof TypeError;
}
