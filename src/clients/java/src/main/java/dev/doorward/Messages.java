package dev.doorward;

import io.grpc.Context;
import io.grpc.StatusRuntimeException;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * The answers of a call that goes on. Closing it ends the call; so does its last answer.
 *
 * <p>Until its first answer it is repeated as other calls are; then an exception is the caller's, who alone knows
 * whether to begin anew.
 */
public final class Messages<T> implements Iterator<T>, Iterable<T>, AutoCloseable {
  /** One attempt: its answers, and what a failure of it means. */
  record Attempt<T>(Iterator<T> answers, Function<StatusRuntimeException, DoorwardException> exception) {}

  private final Context.CancellableContext context;
  private final Supplier<Attempt<T>> begin;
  private final Consumer<DoorwardException> pauseAfter;
  private Attempt<T> attempt;
  private boolean answered;

  /** {@code pauseAfter} waits until the next attempt, or throws when there is to be none. */
  Messages(
      Context.CancellableContext context,
      Supplier<Attempt<T>> begin,
      Consumer<DoorwardException> pauseAfter) {
    this.context = context;
    this.begin = begin;
    this.pauseAfter = pauseAfter;
    this.attempt = begin.get();
  }

  /** Waits for an answer, or for the end. Throws {@link DoorwardException}. */
  @Override
  public boolean hasNext() {
    while (true) {
      try {
        boolean more = attempt.answers().hasNext();
        answered |= more;
        return more;
      } catch (StatusRuntimeException failed) {
        DoorwardException exception = attempt.exception().apply(failed);
        if (answered) {
          throw exception;
        }
        pauseAfter.accept(exception);
        attempt = begin.get();
      }
    }
  }

  /** Waits for an answer. Throws {@link DoorwardException}, or {@link NoSuchElementException} at the end. */
  @Override
  public T next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    return attempt.answers().next();
  }

  /** Returns itself: there is one loop over a call. */
  @Override
  public Iterator<T> iterator() {
    return this;
  }

  @Override
  public void close() {
    context.cancel(null);
  }
}
