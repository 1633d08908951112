import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";
import { format, inspect } from "node:util";
import { toJsonString } from "@bufbuild/protobuf";
import { createClient, createRouterTransport } from "@connectrpc/connect";
import { appsOf } from "../src/apps.js";
import { Calls } from "../src/calls.js";
import { oneLine } from "../src/errors.js";
import { Client, Code, ConfigurationError, DoorwardError } from "../src/index.js";
import { items } from "../src/pages.js";
import { mayBeRepeated } from "../src/repeats.js";
import { tokensOf } from "../src/tokens.js";
import * as v1 from "../src/v1.js";
import { Client as WebClient } from "../src/web.js";

const services = [v1.AppService, v1.AuditService, v1.ReplicaService, v1.SessionService, v1.TokenService];

test("what is not repeated are the two calls that do something else each time", () => {
  const never = services.flatMap((service) => service.methods.filter((method) => !mayBeRepeated(method)));
  assert.deepEqual(never.map((method) => method.name).sort(), ["CreateSession", "RegenerateToken"]);
});

test("a client that cannot work is refused before anything is sent", () => {
  for (const options of [
    { tls: { caFile: "there-is-no-such-file" } },
    { tls: { caFile: "package.json" } },
    { timeoutMs: 0 },
    { enforcementTimeoutMs: Number.NaN },
    { token: "" },
  ]) {
    assert.throws(() => new Client("127.0.0.1:8081", options), ConfigurationError);
  }
  assert.throws(() => new WebClient("unix:/tmp/api.sock"), ConfigurationError);
});

test("a client hides its token, whatever way it is looked at", () => {
  const client = new Client("127.0.0.1:8081", { token: "dw_hidden" });
  assert.doesNotMatch(
    inspect(client, { depth: 9, showHidden: true }) + JSON.stringify(client.transport),
    /dw_hidden/,
  );
});

test("the environment names the api, or the client says what is missing", () => {
  process.env.DOORWARD_ADDRESS = "";
  assert.throws(() => Client.fromEnv(), /DOORWARD_ADDRESS/);
  process.env.DOORWARD_ADDRESS = "127.0.0.1:8081";
  assert.equal(Client.fromEnv().encrypted, false);
});

test("a loop that is left asks for no further page, and the pages begin where they are told to", async () => {
  const asked: string[] = [];
  const list = items(
    async (pageToken) => {
      asked.push(pageToken);
      return { nextPageToken: `after-${asked.length}`, count: asked.length };
    },
    (page) => [page.count],
    "start",
  );
  for await (const count of list) {
    if (count === 2) {
      break;
    }
  }
  assert.deepEqual(asked, ["start", "after-1"]);
});

test("a loop over a stream that is left ends the call", async () => {
  let end = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const transport = createRouterTransport(({ rpc }) => {
    rpc(v1.AppService.method.watchApp, async function* (_, { signal }) {
      signal.addEventListener("abort", () => end());
      yield {};
      await ended;
    });
  });
  const apps = appsOf(new Calls(transport, "here", {}, {}, () => false));
  for await (const _ of apps.watchApp({ appId: "an-app" })) {
    break;
  }
  await ended;
});

test("a client that is closed ends what runs, and makes no more calls", async () => {
  const silent = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => silent.once("listening", resolve));
  const address = silent.address();
  assert(address !== null && typeof address === "object");
  const client = new Client(`127.0.0.1:${address.port}`);
  const running = client.whoAmI();
  client.close();
  const isCanceled = (error: unknown) => error instanceof DoorwardError && error.code === Code.Canceled;
  await assert.rejects(running, isCanceled);
  await assert.rejects(client.whoAmI(), isCanceled);
  silent.close();
});

test("an answer hides its secret when it is printed, and has it all the same", async () => {
  const transport = createRouterTransport(({ rpc }) => {
    rpc(v1.TokenService.method.createToken, () => ({ token: { tokenId: "shown" }, secret: "dw_hidden" }));
    rpc(v1.TokenService.method.regenerateToken, () => ({ token: { tokenId: "shown" }, secret: "dw_hidden" }));
    rpc(v1.SessionService.method.createSession, () => ({ session: { host: "shown" }, credential: "hidden" }));
  });
  const calls = new Calls(transport, "here", {}, {}, () => false);
  const tokens = tokensOf(calls);
  const created = await tokens.createToken({});
  const regenerated = await tokens.regenerateToken({});
  const begun = await createClient(v1.SessionService, calls).createSession({});
  for (const answer of [created, regenerated, begun]) {
    const numbers = (_: string, value: unknown) => (typeof value === "bigint" ? Number(value) : value);
    const printed =
      format("%s %o %j %O", answer, answer, [begun], { answer }) + JSON.stringify(answer, numbers);
    assert.doesNotMatch(printed, /hidden/);
    assert.match(printed, /shown/);
  }
  assert.deepEqual(
    [created.secret, regenerated.secret, begun.credential],
    ["dw_hidden", "dw_hidden", "hidden"],
  );
  assert.match(toJsonString(v1.CreateTokenResponseSchema, created), /dw_hidden/);
  assert.equal({ ...created }.secret, "dw_hidden");
});

test("a text that would move a cursor, or turn its text, is one line", () => {
  assert.equal(oneLine(" a\nb\u001b[2Jc\u202ed "), "a\\u{a}b\\u{1b}[2Jc\\u{202e}d");
});
