/** Makes the calls of a journey of tests/sdk, one JSON object a line; with the argument `web` over gRPC-Web. */
import { createInterface } from "node:readline";
import { type DescMethod, fromJson, type JsonValue, type Message, toJson } from "@bufbuild/protobuf";
import type { GenMessage } from "@bufbuild/protobuf/codegenv2";
import {
  AppGaveUp,
  AppState,
  Client,
  Code,
  ConfigurationError,
  DoorwardError,
  SecretLost,
} from "../src/index.js";
import * as v1 from "../src/v1.js";
import { Client as WebClient } from "../src/web.js";

interface Settings {
  address: string;
  token: string | null;
  timeout: number | null;
  ca_file: string | null;
  server_name: string | null;
}

interface Asked {
  do: string;
  client: Settings;
  request?: JsonValue;
  call: string;
  all: string;
  open: string;
  wait: string;
  app: string;
  seconds?: number;
  encrypted: string;
  tls?: boolean;
  insecure?: boolean;
}

type AnyClient = Client | WebClient;
// What the table names is not known before it is read.
type AnyCall = (request: unknown, options?: object) => unknown;

const web = process.argv[2] === "web";
const services = {
  apps: v1.AppService,
  tokens: v1.TokenService,
  sessions: v1.SessionService,
  audit: v1.AuditService,
  replicas: v1.ReplicaService,
};
const clients = new Map<string, AnyClient>();
let stream: { messages: AsyncIterator<Message>; method: DescMethod } | undefined;

function clientOf(settings: Settings): AnyClient {
  const key = JSON.stringify(settings);
  const made = clients.get(key) ?? make(settings);
  clients.set(key, made);
  return made;
}

function make({ address, token, timeout, ca_file, server_name }: Settings): AnyClient {
  const options = {
    ...(token === null ? {} : { token }),
    ...(timeout === null ? {} : { timeoutMs: timeout * 1000 }),
  };
  if (web) {
    return new WebClient(address, options);
  }
  const tls =
    ca_file === null ? undefined : { caFile: ca_file, ...(server_name && { serverName: server_name }) };
  return new Client(address, { ...options, ...(tls && { tls }) });
}

/** The method of the client that has the RPC's name, and its request. */
function find(client: AnyClient, rpc: string, json: JsonValue = {}): [AnyCall, unknown, DescMethod] {
  for (const [name, service] of Object.entries(services)) {
    const method = service.methods.find((each) => each.name === rpc);
    if (method !== undefined) {
      const calls = client[name as keyof typeof services] as unknown as Record<string, AnyCall>;
      const call = calls[method.localName];
      if (call === undefined) {
        break;
      }
      return [call, fromJson(method.input as GenMessage<Message>, json), method];
    }
  }
  throw new TypeError(`no such RPC: ${rpc}`);
}

async function all(client: AnyClient, rpc: string, json: JsonValue = {}): Promise<JsonValue> {
  switch (rpc) {
    case "ListApps":
      return list(v1.AppSchema, client.apps.all(fromJson(v1.ListAppsRequestSchema, json)));
    case "ListTokens":
      return list(v1.TokenSchema, client.tokens.all(fromJson(v1.ListTokensRequestSchema, json)));
    case "PreviewSelector": {
      const request = fromJson(v1.PreviewSelectorRequestSchema, json);
      return list(v1.AppSchema, client.tokens.allMatching(request));
    }
    case "ListAuditEvents":
      return list(v1.AuditEventSchema, client.audit.all(fromJson(v1.ListAuditEventsRequestSchema, json)));
    default:
      throw new TypeError(`no such list: ${rpc}`);
  }
}

async function list<T extends Message>(schema: GenMessage<T>, items: AsyncIterable<T>): Promise<JsonValue> {
  const found: JsonValue[] = [];
  for await (const item of items) {
    found.push(toJson(schema, item) as JsonValue);
  }
  return found;
}

async function answer(asked: Asked): Promise<JsonValue> {
  switch (asked.do) {
    case "encrypted": {
      const insecure = asked.insecure ?? false;
      return web
        ? new WebClient(asked.encrypted, { tls: asked.tls ?? false, insecure }).encrypted
        : new Client(asked.encrypted, { ...(asked.tls && { tls: {} }), insecure }).encrypted;
    }
    case "call": {
      const [call, request, method] = find(clientOf(asked.client), asked.call, asked.request);
      return toJson(method.output as GenMessage<Message>, (await call(request)) as Message);
    }
    case "all":
      return all(clientOf(asked.client), asked.all, asked.request);
    case "open": {
      const [call, request, method] = find(clientOf(asked.client), asked.open, asked.request);
      stream = { messages: (call(request) as AsyncIterable<Message>)[Symbol.asyncIterator](), method };
      return null;
    }
    case "next": {
      const next = await stream?.messages.next();
      return next?.done === false && stream
        ? toJson(stream.method.output as GenMessage<Message>, next.value)
        : null;
    }
    case "close":
      await stream?.messages.return?.();
      return null;
    case "wait": {
      const state = AppState[asked.wait.replace("APP_STATE_", "") as keyof typeof AppState];
      const options = asked.seconds === undefined ? {} : { timeoutMs: asked.seconds * 1000 };
      return toJson(v1.AppStatusSchema, await clientOf(asked.client).apps.wait(asked.app, state, options));
    }
    default:
      throw new TypeError(`no such thing to do: ${asked.do}`);
  }
}

/** The `error` of a line. Throws what is not an error of the library. */
function described(error: unknown): object {
  if (error instanceof DoorwardError) {
    return {
      kind: "Error",
      text: error.message,
      code: codeName(error.code),
      reason: error.reason,
      metadata: error.metadata,
      fieldViolations: error.fieldViolations,
      requestId: error.requestId,
      retryAfter: error.retryAfterMs === undefined ? null : error.retryAfterMs / 1000,
    };
  }
  if (error instanceof AppGaveUp || error instanceof SecretLost) {
    return { kind: error.name, text: error.message };
  }
  if (error instanceof ConfigurationError) {
    return { kind: "Configuration", text: error.message };
  }
  throw error;
}

/** A code's name as gRPC writes it, such as NOT_FOUND. */
function codeName(code: Code): string {
  return (Code[code] ?? "").replaceAll(/(?<!^)([A-Z])/g, "_$1").toUpperCase();
}

for await (const line of createInterface({ input: process.stdin })) {
  let said: object;
  try {
    said = { answer: await answer(JSON.parse(line) as Asked) };
  } catch (error) {
    said = { error: described(error) };
  }
  process.stdout.write(`${JSON.stringify(said)}\n`);
}
for (const client of clients.values()) {
  if (client instanceof Client) {
    client.close();
  }
}
