package doorward

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// calls makes the calls of one client: with its token and a deadline, and with the client's errors.
type calls struct {
	address string
	token   string
	// timeout is for every call but those below.
	timeout time.Duration
	// enforcement is for calls that answer when no replica allows any more what they took away.
	enforcement time.Duration
}

func newCalls(to target, config Config) *calls {
	made := &calls{
		address: to.uri, token: config.Token, timeout: config.Timeout, enforcement: config.EnforcementTimeout,
	}
	if made.timeout == 0 {
		made.timeout = DefaultTimeout
	}
	if made.enforcement == 0 {
		made.enforcement = DefaultEnforcementTimeout
	}
	return made
}

// unary makes a call, and makes it again where that does no harm, all within one deadline.
func (c *calls) unary(
	ctx context.Context, name string, request, answer any, connection *grpc.ClientConn,
	invoke grpc.UnaryInvoker, options ...grpc.CallOption,
) error {
	method := methods[name]
	if _, given := ctx.Deadline(); !given {
		limit := c.timeout
		if method.enforced {
			limit = c.enforcement
		}
		limited, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		ctx = limited
	}
	ctx = c.authorized(ctx)
	request = withRequestID(request)
	repeats := method.repeats()
	for {
		var header, trailer metadata.MD
		observed := append(options[:len(options):len(options)], grpc.Header(&header), grpc.Trailer(&trailer))
		err := invoke(ctx, name, request, answer, connection, observed...)
		if err == nil {
			return nil
		}
		failed := newError(err, c.address, header, trailer)
		if !repeats.pauseAfter(ctx, failed) {
			return failed
		}
	}
}

func (c *calls) stream(
	ctx context.Context, description *grpc.StreamDesc, connection *grpc.ClientConn, name string,
	open grpc.Streamer, options ...grpc.CallOption,
) (grpc.ClientStream, error) {
	ctx = c.authorized(ctx)
	stream := &observedStream{
		ctx:     ctx,
		address: c.address,
		open: func() (grpc.ClientStream, error) {
			return open(ctx, description, connection, name, options...)
		},
	}
	if !description.ClientStreams { // else what was sent would have to be kept
		stream.repeats = methods[name].repeats()
	}
	if err := stream.begin(); err != nil {
		return nil, err
	}
	return stream, nil
}

// authorized adds the token (RFC 6750 §2.1).
func (c *calls) authorized(ctx context.Context) context.Context {
	if c.token == "" {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+c.token)
}

// pause waits for delay; false when the deadline comes first, at once then.
func pause(ctx context.Context, delay time.Duration) bool {
	if deadline, given := ctx.Deadline(); given && time.Until(deadline) <= delay {
		return false
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
