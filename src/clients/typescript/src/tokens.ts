import type { MessageInitShape } from "@bufbuild/protobuf";
import { type CallOptions, type Client as ConnectClient, createClient } from "@connectrpc/connect";
import { again } from "./apps.js";
import type { Calls } from "./calls.js";
import { SecretLost } from "./errors.js";
import type { App } from "./gen/doorward/v1/app_pb.js";
import type { Token } from "./gen/doorward/v1/token_pb.js";
import {
  type ListTokensRequestSchema,
  type PreviewSelectorRequestSchema,
  TokenService,
} from "./gen/doorward/v1/token_service_pb.js";
import { items } from "./pages.js";

/**
 * What can be done with tokens: the calls of `TokenService`, `all` and `allMatching`.
 *
 * The client repeats `createToken` when the connection breaks. The server answers a repeat without the secret,
 * which it does not keep: that throws `SecretLost`, and `regenerateToken` gives a new one.
 */
export interface Tokens extends ConnectClient<typeof TokenService> {
  /** The tokens, newest first, whatever the page. Each loop asks again. */
  all(
    request?: MessageInitShape<typeof ListTokensRequestSchema>,
    options?: CallOptions,
  ): AsyncIterable<Token>;
  /** The apps that a scope matches now, whatever the page. */
  allMatching(
    request: MessageInitShape<typeof PreviewSelectorRequestSchema>,
    options?: CallOptions,
  ): AsyncIterable<App>;
}

/** What can be done with tokens, by these calls. */
export function tokensOf(calls: Calls): Tokens {
  const service = createClient(TokenService, calls);
  return {
    ...service,
    async createToken(request, options) {
      const answer = await service.createToken(request, options);
      if (answer.secret === "") {
        throw new SecretLost(answer.token?.tokenId ?? "");
      }
      return answer;
    },
    all: (request = {}, options = {}) =>
      again(() =>
        items(
          (pageToken) => service.listTokens({ ...request, pageToken }, options),
          (page) => page.tokens,
          request.pageToken,
        ),
      ),
    allMatching: (request, options = {}) =>
      again(() =>
        items(
          (pageToken) => service.previewSelector({ ...request, pageToken }, options),
          (page) => page.apps,
          request.pageToken,
        ),
      ),
  };
}
