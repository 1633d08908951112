package dev.doorward;

import io.grpc.Context;
import io.grpc.StatusRuntimeException;
import java.util.Iterator;
import java.util.function.Function;

/** The answers of a call that goes on. Closing it ends the call; so does its last answer. */
public final class Messages<T> implements Iterator<T>, Iterable<T>, AutoCloseable {
  private final Iterator<T> answers;
  private final Context.CancellableContext context;
  private final Function<StatusRuntimeException, DoorwardException> exception;

  Messages(
      Iterator<T> answers,
      Context.CancellableContext context,
      Function<StatusRuntimeException, DoorwardException> exception) {
    this.answers = answers;
    this.context = context;
    this.exception = exception;
  }

  /** Waits for an answer, or for the end. Throws {@link DoorwardException}. */
  @Override
  public boolean hasNext() {
    try {
      return answers.hasNext();
    } catch (StatusRuntimeException failed) {
      throw exception.apply(failed);
    }
  }

  @Override
  public T next() {
    try {
      return answers.next();
    } catch (StatusRuntimeException failed) {
      throw exception.apply(failed);
    }
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
