package dev.doorward;

import dev.doorward.v1.App;
import dev.doorward.v1.AppServiceGrpc;
import dev.doorward.v1.AppState;
import dev.doorward.v1.AppStatus;
import dev.doorward.v1.CreateAppRequest;
import dev.doorward.v1.CreateAppResponse;
import dev.doorward.v1.DeleteAppRequest;
import dev.doorward.v1.DeleteAppResponse;
import dev.doorward.v1.GetAppRequest;
import dev.doorward.v1.GetAppResponse;
import dev.doorward.v1.ListAppsRequest;
import dev.doorward.v1.ListAppsResponse;
import dev.doorward.v1.ReadAppLogsRequest;
import dev.doorward.v1.ReadAppLogsResponse;
import dev.doorward.v1.StartAppRequest;
import dev.doorward.v1.StartAppResponse;
import dev.doorward.v1.StopAppRequest;
import dev.doorward.v1.StopAppResponse;
import dev.doorward.v1.UpdateAppRequest;
import dev.doorward.v1.UpdateAppResponse;
import dev.doorward.v1.WatchAppRequest;
import dev.doorward.v1.WatchAppResponse;
import io.grpc.Status;
import java.time.Duration;

/** What can be done with apps. Every method throws {@link DoorwardException} when its call fails. */
public final class Apps {
  private static final Duration RECONNECT = Duration.ofMillis(500);

  private final Calls calls;

  Apps(Calls calls) {
    this.calls = calls;
  }

  /** Creates an app and starts it. Needs ADMIN. */
  public CreateAppResponse createApp(CreateAppRequest request) {
    return calls.unary(AppServiceGrpc.getCreateAppMethod(), request);
  }

  /** Answers one app. */
  public GetAppResponse getApp(GetAppRequest request) {
    return calls.unary(AppServiceGrpc.getGetAppMethod(), request);
  }

  /** Answers one page of the apps in the token's scope, newest first. */
  public ListAppsResponse listApps(ListAppsRequest request) {
    return calls.unary(AppServiceGrpc.getListAppsMethod(), request);
  }

  /** Changes an app's name, labels or spec. Needs ADMIN. */
  public UpdateAppResponse updateApp(UpdateAppRequest request) {
    return calls.unary(AppServiceGrpc.getUpdateAppMethod(), request);
  }

  /** Starts an app that is stopped or has failed. Needs OPERATOR. */
  public StartAppResponse startApp(StartAppRequest request) {
    return calls.unary(AppServiceGrpc.getStartAppMethod(), request);
  }

  /** Stops an app: its visitors get 503 from the moment this returns. Needs OPERATOR. */
  public StopAppResponse stopApp(StopAppRequest request) {
    return calls.unary(AppServiceGrpc.getStopAppMethod(), request);
  }

  /** Deletes an app: its visitors get 403 from the moment this returns. Needs OPERATOR. */
  public DeleteAppResponse deleteApp(DeleteAppRequest request) {
    return calls.unary(AppServiceGrpc.getDeleteAppMethod(), request);
  }

  /** Answers an app's status as it is, then each time it changes; ends when the app is gone. */
  public Messages<WatchAppResponse> watchApp(WatchAppRequest request) {
    return calls.stream(AppServiceGrpc.getWatchAppMethod(), request, null);
  }

  /** Answers what an app has printed. Needs OPERATOR. */
  public Messages<ReadAppLogsResponse> readAppLogs(ReadAppLogsRequest request) {
    return calls.stream(AppServiceGrpc.getReadAppLogsMethod(), request, null);
  }

  /** The apps in the token's scope, newest first, whatever the page. */
  public Items<App> all(ListAppsRequest request) {
    return new Items<>(
        request.getPageToken(),
        pageToken -> {
          var page = listApps(request.toBuilder().setPageToken(pageToken).build());
          return new Items.Page<>(page.getAppsList(), page.getNextPageToken());
        });
  }

  /** Waits for at most a minute, as {@link #waitFor(String, AppState, Duration)} does. */
  public AppStatus waitFor(String appId, AppState wanted) {
    return waitFor(appId, wanted, Duration.ofMinutes(1));
  }

  /**
   * Waits until an app is in a state and answers its status then.
   *
   * <p>Throws {@link AppGaveUpException} when it has failed or is being deleted instead, and {@link
   * DoorwardException} with the code DEADLINE_EXCEEDED. An api that restarts meanwhile is waited for.
   */
  public AppStatus waitFor(String appId, AppState wanted, Duration limit) {
    long deadline = System.nanoTime() + limit.toNanos();
    AppStatus last = AppStatus.getDefaultInstance();
    WatchAppRequest request = WatchAppRequest.newBuilder().setAppId(appId).build();
    while (true) {
      Duration left = Duration.ofNanos(Math.max(1, deadline - System.nanoTime()));
      try (var answers = calls.stream(AppServiceGrpc.getWatchAppMethod(), request, left)) {
        while (!hasGivenUp(last) && answers.hasNext()) {
          last = answers.next().getStatus();
          if (last.getState() == wanted) {
            return last;
          }
        }
        throw new AppGaveUpException(notReached(appId, last, wanted), last);
      } catch (DoorwardException failed) {
        if (failed.code() == Status.Code.DEADLINE_EXCEEDED) {
          throw failed.saying("waited long enough: " + notReached(appId, last, wanted));
        }
        if (failed.code() != Status.Code.UNAVAILABLE || System.nanoTime() + RECONNECT.toNanos() - deadline >= 0) {
          throw failed;
        }
        Attempts.pause(RECONNECT.toNanos(), failed);
      }
    }
  }

  private static boolean hasGivenUp(AppStatus status) {
    return switch (status.getState()) {
      case APP_STATE_FAILED, APP_STATE_ERROR, APP_STATE_DELETING -> true;
      default -> false;
    };
  }

  /** Why an app is not in the state that was waited for. */
  private static String notReached(String appId, AppStatus status, AppState wanted) {
    String text = "app " + appId + " is " + name(status.getState()) + ", not " + name(wanted);
    return status.getMessage().isEmpty() ? text : text + ": " + Texts.oneLine(status.getMessage());
  }

  private static String name(AppState state) {
    return state.name().replaceFirst("^APP_STATE_", "");
  }
}
