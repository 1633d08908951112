import type { MessageInitShape } from "@bufbuild/protobuf";
import { type CallOptions, Code, type Client as ConnectClient, createClient } from "@connectrpc/connect";
import type { Calls } from "./calls.js";
import { AppGaveUp, DoorwardError, oneLine } from "./errors.js";
import { type App, AppState, type AppStatus } from "./gen/doorward/v1/app_pb.js";
import { AppService, type ListAppsRequestSchema } from "./gen/doorward/v1/app_service_pb.js";
import { items } from "./pages.js";
import { pause } from "./repeats.js";

const WAIT_MS = 60_000;
const RECONNECT_MS = 500;
const GIVEN_UP: readonly (AppState | undefined)[] = [AppState.FAILED, AppState.ERROR, AppState.DELETING];

/** How long to wait for an app, at most. */
export interface WaitOptions {
  /** In milliseconds. 60 000 when not given. */
  timeoutMs?: number;
  signal?: AbortSignal;
}

/** What can be done with apps: the calls of `AppService`, `all` and `wait`. Leaving a stream ends its call. */
export interface Apps extends ConnectClient<typeof AppService> {
  /** The apps in the token's scope, newest first, whatever the page. Each loop asks again. */
  all(request?: MessageInitShape<typeof ListAppsRequestSchema>, options?: CallOptions): AsyncIterable<App>;
  /**
   * Waits until an app is in a state, RUNNING by default, and answers its status then.
   *
   * Throws `AppGaveUp` when it has failed or is being deleted instead, and `DoorwardError` with the code
   * DeadlineExceeded. An api that restarts meanwhile is waited for.
   */
  wait(appId: string, state?: AppState, options?: WaitOptions): Promise<AppStatus>;
}

/** What can be done with apps, by these calls. */
export function appsOf(calls: Calls): Apps {
  const service = createClient(AppService, calls);
  const apps: Apps = {
    ...service,
    watchApp: (request, options) => untilLeft((each) => service.watchApp(request, each), options),
    readAppLogs: (request, options) => untilLeft((each) => service.readAppLogs(request, each), options),
    all: (request = {}, options = {}) =>
      again(() =>
        items(
          (pageToken) => service.listApps({ ...request, pageToken }, options),
          (page) => page.apps,
          request.pageToken,
        ),
      ),
    wait: (appId, state = AppState.RUNNING, options = {}) => wait(apps, appId, state, options),
  };
  return apps;
}

/** An iterable whose every loop begins anew. */
export function again<T>(begin: () => AsyncIterator<T>): AsyncIterable<T> {
  return { [Symbol.asyncIterator]: begin };
}

/** A stream whose call ends when the loop over it is left. */
async function* untilLeft<T>(
  call: (options: CallOptions) => AsyncIterable<T>,
  options: CallOptions = {},
): AsyncGenerator<T, void, undefined> {
  const leaving = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, leaving.signal]) : leaving.signal;
  try {
    yield* call({ ...options, signal });
  } finally {
    leaving.abort();
  }
}

async function wait(apps: Apps, appId: string, wanted: AppState, options: WaitOptions): Promise<AppStatus> {
  const deadline = performance.now() + (options.timeoutMs ?? WAIT_MS);
  const signal = options.signal ? { signal: options.signal } : {};
  let last: AppStatus | undefined;
  for (;;) {
    try {
      const timeoutMs = Math.max(1, Math.ceil(deadline - performance.now()));
      for await (const { status } of apps.watchApp({ appId }, { ...signal, timeoutMs })) {
        last = status;
        if (status?.state === wanted) {
          return status;
        }
        if (GIVEN_UP.includes(status?.state)) {
          break;
        }
      }
      throw new AppGaveUp(notReached(appId, last, wanted), last);
    } catch (error) {
      if (!(error instanceof DoorwardError)) {
        throw error;
      }
      if (error.code === Code.DeadlineExceeded) {
        error.message = `waited long enough: ${notReached(appId, last, wanted)}`;
        throw error;
      }
      const inTime = performance.now() + RECONNECT_MS < deadline;
      if (error.code !== Code.Unavailable || !inTime || !(await pause(RECONNECT_MS, options.signal))) {
        throw error;
      }
    }
  }
}

/** Why an app is not in the state that was waited for. */
function notReached(appId: string, status: AppStatus | undefined, wanted: AppState): string {
  const now = AppState[status?.state ?? AppState.UNSPECIFIED] ?? status?.state;
  const text = `app ${appId} is ${now}, not ${AppState[wanted]}`;
  return status?.message ? `${text}: ${oneLine(status.message)}` : text;
}
