package dev.doorward;

import com.google.protobuf.Message;
import io.grpc.CallOptions;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/**
 * The attempts of one call: which calls the client repeats by itself, read from the protos, and how.
 *
 * <p>Repeated is only what may go better a moment later: UNAVAILABLE, which is what a connection that cannot be
 * made or breaks gives, and RESOURCE_EXHAUSTED when the server itself says when to come back. And only a call
 * that does no harm when it happens twice: one whose {@code idempotency_level} says so, or a create, whose
 * {@code request_id} makes the second answer what the first one made. Every repeat is within the call's
 * deadline. What a lost first attempt did shows in the answer to the second: a delete may answer NOT_FOUND, an
 * update with an etag ABORTED.
 *
 * <p>Not left to gRPC's retry policy, which ends where the server's first header arrives (gRFC A6): an api that
 * answers at all, such as one whose database is locked, would never be asked again.
 */
final class Attempts {
  /** The longest wait before each repeat; there are no more repeats than these. */
  private static final List<Duration> DELAYS =
      List.of(Duration.ofMillis(100), Duration.ofMillis(300), Duration.ofMillis(900), Duration.ofSeconds(2));

  private final long begun = System.nanoTime();
  private final Duration limit;
  private final Iterator<Duration> delays;

  /** Begins a call that may take {@code limit} altogether; null: as long as it takes. */
  Attempts(MethodDescriptor<?, ?> method, Message request, Duration limit) {
    this.limit = limit;
    this.delays = (Methods.mayBeRepeated(method, request) ? DELAYS : List.<Duration>of()).iterator();
  }

  /** What an attempt that begins now is called with. */
  CallOptions options() {
    return limit == null
        ? CallOptions.DEFAULT
        : CallOptions.DEFAULT.withDeadlineAfter(Math.max(1, left()), TimeUnit.NANOSECONDS);
  }

  /**
   * Waits before the next attempt, or throws {@code failed} when there is to be none.
   *
   * <p>Anything up to the delay, after what the server has asked for ("full jitter"), so that clients that failed
   * together come back apart.
   */
  void pauseAfter(DoorwardException failed) {
    if (!mayGoBetter(failed) || !delays.hasNext()) {
      throw failed;
    }
    long longest = delays.next().toNanos();
    long asked = failed.retryAfter().map(Duration::toNanos).orElse(0L);
    long delay = asked + ThreadLocalRandom.current().nextLong(longest);
    if (limit != null && left() <= delay) {
      throw failed;
    }
    pause(delay, failed);
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

  /** In nanoseconds. */
  private long left() {
    return limit.toNanos() - (System.nanoTime() - begun);
  }

  /** Whether the same call may go well a moment later. */
  private static boolean mayGoBetter(DoorwardException failed) {
    boolean asked = failed.code() == Status.Code.RESOURCE_EXHAUSTED && failed.retryAfter().isPresent();
    return asked || failed.code() == Status.Code.UNAVAILABLE;
  }
}
