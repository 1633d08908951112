import { ConfigurationError } from "./errors.js";

/** The address of an api. */
export interface Target {
  /** What people read. */
  readonly address: string;
  /** The path of a Unix socket; undefined for an address on a network. */
  readonly socket?: string;
  /** Whether what is sent there stays on this machine. */
  readonly local: boolean;
}

const HOST_AND_PORT = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})$/;
const UNIX = /^unix:(?:\/\/)?([!-~\u0080-\u{10ffff}]+)$/u;
const LOOPBACK = /^127\.(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})(?:\.(?!$)|$)){3}$/;

/**
 * Reads `host:port`, `[IPv6]:port` or `unix:/path`.
 *
 * Only `localhost` and loopback addresses count as local. A name below `.localhost` does not: not every
 * resolver keeps those on the machine (RFC 6761 §6.3 asks for it), and a token may ride on the answer.
 */
export function parseTarget(address: string): Target {
  const socket = UNIX.exec(address)?.[1];
  if (socket !== undefined) {
    return { address: `unix:${socket}`, socket, local: true };
  }
  const [, host, port] = HOST_AND_PORT.exec(address) ?? [];
  if (host === undefined || Number(port) < 1 || Number(port) > 65535 || !URL.canParse(`http://${address}`)) {
    throw new ConfigurationError(
      `address ${JSON.stringify(address)}: expected host:port, [IPv6]:port or unix:/path, no scheme`,
    );
  }
  return { address, local: isLoopback(host) };
}

function isLoopback(host: string): boolean {
  if (host.startsWith("[")) {
    return new URL(`http://${host}`).hostname === "[::1]"; // whatever way it was written in
  }
  return host.toLowerCase() === "localhost" || LOOPBACK.test(host);
}
