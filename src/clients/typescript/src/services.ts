import { type Client as ConnectClient, createClient, type Transport } from "@connectrpc/connect";
import { type Apps, appsOf } from "./apps.js";
import { type Audit, auditOf } from "./audit.js";
import type { Calls } from "./calls.js";
import { ReplicaService } from "./gen/doorward/v1/replica_service_pb.js";
import { SessionService } from "./gen/doorward/v1/session_service_pb.js";
import type { Token } from "./gen/doorward/v1/token_pb.js";
import { type Tokens, tokensOf } from "./tokens.js";

/** What a client offers, whatever carries its calls. */
export class Services {
  /** What runs, and under which labels. */
  readonly apps: Apps;
  /** Who may use it. */
  readonly tokens: Tokens;
  /** Access of a browser, by this client's own token. */
  readonly sessions: ConnectClient<typeof SessionService>;
  /** Who did what. */
  readonly audit: Audit;
  /** How current each check replica is. */
  readonly replicas: ConnectClient<typeof ReplicaService>;
  /** For generated clients of your own: it adds what this client's calls have. */
  readonly transport: Transport;
  /** Whether what the client sends is encrypted. */
  readonly encrypted: boolean;

  protected constructor(calls: Calls, encrypted: boolean) {
    this.transport = calls;
    this.encrypted = encrypted;
    this.apps = appsOf(calls);
    this.tokens = tokensOf(calls);
    this.sessions = createClient(SessionService, calls);
    this.audit = auditOf(calls);
    this.replicas = createClient(ReplicaService, calls);
  }

  /** The token that this client uses, without its secret. */
  async whoAmI(): Promise<Token> {
    const { token } = await this.tokens.whoAmI({});
    if (token === undefined) {
      throw new TypeError("the api answered no token");
    }
    return token;
  }
}
