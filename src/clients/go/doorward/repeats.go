package doorward

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	doorwardv1 "doorward.dev/go/doorward/v1"
)

// Which calls the client repeats by itself, read from the protos, and how.
//
// Repeated is only what may go better a moment later: UNAVAILABLE, which is what a connection that cannot be made
// or breaks gives, and RESOURCE_EXHAUSTED when the server itself says when to come back. And only a call that does
// no harm when it happens twice: one whose idempotency_level says so, or a create, whose request_id makes the
// second answer what the first one made. What a lost first attempt did shows in the answer to the second: a delete
// may answer NOT_FOUND, an update with an etag ABORTED.
//
// Not left to gRPC's retryPolicy, which ends where the server's first header arrives (gRFC A6): an api that
// answers at all, such as one whose database is locked, would never be asked again.

// The longest wait before each repeat; there are no more repeats than these.
var repeatDelays = repeats{
	100 * time.Millisecond, 300 * time.Millisecond, 900 * time.Millisecond, 2 * time.Second,
}

// repeats are what is left of them for one call.
type repeats []time.Duration

// pauseAfter waits before the next attempt; false when there is to be none.
//
// It is anything up to the delay, after what the server has asked for ("full jitter"), so that clients that failed
// together come back apart.
func (r *repeats) pauseAfter(ctx context.Context, failed *Error) bool {
	if len(*r) == 0 || !failed.worthRepeating() {
		return false
	}
	delay := failed.RetryAfter + rand.N((*r)[0])
	*r = (*r)[1:]
	return pause(ctx, delay)
}

// method is what the protos say of an RPC.
type method struct {
	// repeatable is whether calling it twice does what calling it once does.
	repeatable bool
	// enforced is whether it answers how far a change has reached, which may take as long as a policy lease.
	enforced bool
}

// methods has every RPC of the API by its name on the wire.
var methods = readMethods(
	doorwardv1.File_doorward_v1_app_service_proto,
	doorwardv1.File_doorward_v1_audit_service_proto,
	doorwardv1.File_doorward_v1_replica_service_proto,
	doorwardv1.File_doorward_v1_session_service_proto,
	doorwardv1.File_doorward_v1_token_service_proto,
)

func readMethods(files ...protoreflect.FileDescriptor) map[string]method {
	found := map[string]method{}
	for _, file := range files {
		for i := range file.Services().Len() {
			service := file.Services().Get(i)
			for j := range service.Methods().Len() {
				each := service.Methods().Get(j)
				found["/"+string(service.FullName())+"/"+string(each.Name())] = readMethod(each)
			}
		}
	}
	return found
}

func readMethod(each protoreflect.MethodDescriptor) method {
	options, _ := each.Options().(*descriptorpb.MethodOptions)
	safe := options.GetIdempotencyLevel() != descriptorpb.MethodOptions_IDEMPOTENCY_UNKNOWN
	return method{
		repeatable: safe || each.Input().Fields().ByName("request_id") != nil,
		enforced:   each.Output().Fields().ByName("policy_update") != nil,
	}
}

func (m method) repeats() repeats {
	if m.repeatable {
		return repeatDelays
	}
	return nil
}

// worthRepeating is whether the same call may go well a moment later.
func (e *Error) worthRepeating() bool {
	return e.Code == codes.Unavailable || e.Code == codes.ResourceExhausted && e.RetryAfter > 0
}

// withRequestID gives a request that has room for an id one of its own, unless the caller did.
func withRequestID(request any) any {
	message, ok := request.(proto.Message)
	if !ok {
		return request
	}
	reflected := message.ProtoReflect()
	field := reflected.Descriptor().Fields().ByName("request_id")
	if field == nil || reflected.Get(field).String() != "" {
		return request
	}
	identified := proto.Clone(message)
	identified.ProtoReflect().Set(field, protoreflect.ValueOfString(uuid.NewString()))
	return identified
}
