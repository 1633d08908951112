package doorward

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"google.golang.org/grpc/codes"

	doorwardv1 "doorward.dev/go/doorward/v1"
)

const (
	// DefaultWait is how long Apps.Wait waits when its context has no deadline.
	DefaultWait = 60 * time.Second

	reconnectDelay = 500 * time.Millisecond
)

// Wait waits until an app is in a state and answers its status then.
//
// It fails with [AppGaveUp] when the app has failed or is being deleted instead, and with an [Error] of code
// DeadlineExceeded. An api that restarts meanwhile is waited for.
func (a *Apps) Wait(
	ctx context.Context, appID string, wanted doorwardv1.AppState,
) (*doorwardv1.AppStatus, error) {
	if _, given := ctx.Deadline(); !given {
		limited, cancel := context.WithTimeout(ctx, DefaultWait)
		defer cancel()
		ctx = limited
	}
	last := &doorwardv1.AppStatus{}
	for {
		err := a.watchUntil(ctx, appID, wanted, &last)
		var failed *Error
		switch {
		case err == nil:
			return last, nil
		case errors.As(err, &failed) && failed.worthRepeating() && pause(ctx, reconnectDelay):
			continue
		case failed != nil && failed.Code == codes.DeadlineExceeded:
			failed.message = "waited long enough: " + notReached(appID, last, wanted)
			return nil, failed
		}
		return nil, err
	}
}

// watchUntil keeps the newest status in last.
func (a *Apps) watchUntil(
	ctx context.Context, appID string, wanted doorwardv1.AppState, last **doorwardv1.AppStatus,
) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := a.WatchApp(ctx, &doorwardv1.WatchAppRequest{AppId: appID})
	if err != nil {
		return err
	}
	for {
		answer, err := stream.Recv()
		if errors.Is(err, io.EOF) { // the app is gone
			return &AppGaveUp{AppID: appID, Status: *last, Wanted: wanted}
		}
		if err != nil {
			return err
		}
		*last = answer.GetStatus()
		switch (*last).GetState() {
		case wanted:
			return nil
		case doorwardv1.AppState_APP_STATE_FAILED, doorwardv1.AppState_APP_STATE_ERROR,
			doorwardv1.AppState_APP_STATE_DELETING:
			return &AppGaveUp{AppID: appID, Status: *last, Wanted: wanted}
		}
	}
}

// notReached says why an app is not in the state that was waited for.
func notReached(appID string, status *doorwardv1.AppStatus, wanted doorwardv1.AppState) string {
	text := fmt.Sprintf("app %s is %s, not %s", appID, stateName(status.GetState()), stateName(wanted))
	if status.GetMessage() != "" {
		text += ": " + oneLine(status.GetMessage())
	}
	return text
}

func stateName(state doorwardv1.AppState) string {
	return strings.TrimPrefix(state.String(), "APP_STATE_")
}
