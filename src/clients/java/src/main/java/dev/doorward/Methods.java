package dev.doorward;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import io.grpc.MethodDescriptor;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Which calls the client repeats by itself, read from the protos, and how.
 *
 * <p>Only UNAVAILABLE is repeated, which is what a connection that cannot be made or breaks gives, and only a
 * call that does no harm when it happens twice: one whose {@code idempotency_level} says so, or a create, whose
 * {@code request_id} makes the second answer what the first one made. What a lost first attempt did shows in
 * the answer to the second: a delete may answer NOT_FOUND, an update with an etag ABORTED.
 *
 * <p>Not left to gRPC's retry policy, which ends where the server's first header arrives (gRFC A6): an api that
 * answers at all, such as one whose database is locked, would never be asked again.
 */
final class Methods {
  /** Before each repeat, before they are spread; there are no more than these. */
  private static final List<Duration> DELAYS =
      List.of(Duration.ofMillis(100), Duration.ofMillis(200), Duration.ofMillis(400), Duration.ofMillis(800));

  private Methods() {}

  /** Whether calling a method twice does what calling it once does. */
  static boolean mayBeRepeated(MethodDescriptor<?, ?> method, Message request) {
    return method.isIdempotent() || requestId(request) != null;
  }

  /** Whether an answer says how far a change has reached, which may take as long as a policy lease. */
  static boolean isEnforced(Message answer) {
    return answer.getDescriptorForType().findFieldByName("policy_update") != null;
  }

  /** An empty answer of a method. */
  static Message prototype(MethodDescriptor<?, ?> method) {
    return (Message)
        ((MethodDescriptor.PrototypeMarshaller<?>) method.getResponseMarshaller()).getMessagePrototype();
  }

  /** How long to wait before each repeat: none when the call must not be repeated. */
  static List<Duration> delays(MethodDescriptor<?, ?> method, Message request) {
    if (!mayBeRepeated(method, request)) {
      return List.of();
    }
    // Clients that failed together come back apart.
    return DELAYS.stream()
        .map(each -> Duration.ofNanos((long) (each.toNanos() * ThreadLocalRandom.current().nextDouble(0.5, 1.5))))
        .toList();
  }

  /** Returns the request, with an id of its own when it has room for one and the caller gave none. */
  @SuppressWarnings("unchecked") // a builder makes what it was made of
  static <T extends Message> T identified(T request) {
    FieldDescriptor field = requestId(request);
    if (field == null || !request.getField(field).equals("")) {
      return request;
    }
    return (T) request.toBuilder().setField(field, UUID.randomUUID().toString()).build();
  }

  private static FieldDescriptor requestId(Message request) {
    return request.getDescriptorForType().findFieldByName("request_id");
  }
}
