package dev.doorward;

import com.google.protobuf.Message;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import java.time.Duration;
import java.util.Iterator;
import java.util.concurrent.atomic.AtomicReference;

/** Makes the calls of one client: with a deadline, repeats, and the client's exceptions. */
final class Calls {
  private static final Metadata.Key<String> REQUEST_ID =
      Metadata.Key.of("doorward-request-id", Metadata.ASCII_STRING_MARSHALLER);

  private final ManagedChannel managed;
  private final Channel channel;
  private final String address;
  private final Duration timeout;
  private final Duration enforcementTimeout;

  Calls(ManagedChannel managed, Channel channel, String address, Duration timeout, Duration enforcementTimeout) {
    this.managed = managed;
    this.channel = channel;
    this.address = address;
    this.timeout = timeout;
    this.enforcementTimeout = enforcementTimeout;
  }

  /** The connection, with the client's token. */
  Channel channel() {
    return channel;
  }

  /** Makes a call, and makes it again where that does no harm, all within one deadline. */
  <Q extends Message, A> A unary(MethodDescriptor<Q, A> method, Q asked) {
    boolean enforced = Methods.isEnforced(Methods.prototype(method));
    Q request = Methods.identified(asked);
    Attempts attempts = new Attempts(method, request, enforced ? enforcementTimeout : timeout);
    while (true) {
      try {
        return attempt(method, request, attempts.options());
      } catch (DoorwardException failed) {
        pauseAfter(failed, attempts);
      }
    }
  }

  /** Begins a call with many answers, which has a deadline only when {@code limit} is not null. */
  <Q extends Message, A> Messages<A> stream(MethodDescriptor<Q, A> method, Q request, Duration limit) {
    Context.CancellableContext context = Context.current().withCancellation();
    Attempts attempts = new Attempts(method, request, limit);
    return new Messages<>(
        context, () -> begin(method, request, attempts.options(), context), failed -> pauseAfter(failed, attempts));
  }

  private <Q, A> Messages.Attempt<A> begin(
      MethodDescriptor<Q, A> method, Q request, CallOptions options, Context.CancellableContext context) {
    Heard heard = new Heard();
    Context before = context.attach();
    try {
      Iterator<A> answers =
          ClientCalls.blockingServerStreamingCall(heard.on(channel), method, options, request);
      return new Messages.Attempt<>(answers, failed -> heard.exception(failed, address));
    } finally {
      context.detach(before);
    }
  }

  private <Q, A> A attempt(MethodDescriptor<Q, A> method, Q request, CallOptions options) {
    Heard heard = new Heard();
    try {
      return ClientCalls.blockingUnaryCall(heard.on(channel), method, options, request);
    } catch (StatusRuntimeException failed) {
      throw heard.exception(failed, address);
    }
  }

  private void pauseAfter(DoorwardException failed, Attempts attempts) {
    attempts.pauseAfter(failed);
    // gRPC's own second before it connects again would use up the repeats.
    managed.resetConnectBackoff();
  }

  /** What came with an answer besides the message. */
  private static final class Heard {
    private final AtomicReference<Metadata> headers = new AtomicReference<>();
    private final AtomicReference<Metadata> trailers = new AtomicReference<>();

    Channel on(Channel channel) {
      return ClientInterceptors.intercept(
          channel, MetadataUtils.newCaptureMetadataInterceptor(headers, trailers));
    }

    DoorwardException exception(StatusRuntimeException failed, String address) {
      String id = requestId(headers.get());
      return DoorwardException.of(failed, address, id == null ? requestId(trailers.get()) : id);
    }

    private static String requestId(Metadata metadata) {
      return metadata == null ? null : metadata.get(REQUEST_ID);
    }
  }
}
