package dev.doorward;

import com.google.protobuf.Message;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import java.time.Duration;
import java.util.Iterator;
import java.util.concurrent.TimeUnit;
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
    long deadline = System.nanoTime() + (enforced ? enforcementTimeout : timeout).toNanos();
    Q request = Methods.identified(asked);
    Iterator<Duration> repeats = Methods.delays(method, request).iterator();
    while (true) {
      try {
        return attempt(method, request, deadline - System.nanoTime());
      } catch (DoorwardException failed) {
        if (failed.code() != Status.Code.UNAVAILABLE || !repeats.hasNext()) {
          throw failed;
        }
        long delay = Math.max(repeats.next().toNanos(), failed.retryAfter().map(Duration::toNanos).orElse(0L));
        if (System.nanoTime() + delay - deadline >= 0) {
          throw failed;
        }
        pause(delay, failed);
        // gRPC's own second before it connects again would use up the repeats.
        managed.resetConnectBackoff();
      }
    }
  }

  /** Begins a call with many answers, which has a deadline only when {@code limit} is not null. */
  <Q, A> Messages<A> stream(MethodDescriptor<Q, A> method, Q request, Duration limit) {
    Context.CancellableContext context = Context.current().withCancellation();
    Heard heard = new Heard();
    CallOptions options =
        limit == null
            ? CallOptions.DEFAULT
            : CallOptions.DEFAULT.withDeadlineAfter(Math.max(1, limit.toNanos()), TimeUnit.NANOSECONDS);
    Context before = context.attach();
    try {
      Iterator<A> answers =
          ClientCalls.blockingServerStreamingCall(heard.on(channel), method, options, request);
      return new Messages<>(answers, context, failed -> heard.exception(failed, address));
    } finally {
      context.detach(before);
    }
  }

  private <Q, A> A attempt(MethodDescriptor<Q, A> method, Q request, long nanos) {
    Heard heard = new Heard();
    CallOptions options = CallOptions.DEFAULT.withDeadlineAfter(Math.max(1, nanos), TimeUnit.NANOSECONDS);
    try {
      return ClientCalls.blockingUnaryCall(heard.on(channel), method, options, request);
    } catch (StatusRuntimeException failed) {
      throw heard.exception(failed, address);
    }
  }

  /** Waits; an interrupt ends the call with the failure before it. */
  static void pause(long nanos, DoorwardException otherwise) {
    try {
      TimeUnit.NANOSECONDS.sleep(nanos);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw otherwise;
    }
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
