package dev.doorward;

import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.function.Function;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * The items of a list, asked for page by page while they are looked at. Each loop asks again.
 *
 * <p>A change to the list meanwhile loses no item that was there all the time, and repeats none.
 */
public final class Items<T> implements Iterable<T> {
  private final String from;
  private final Function<String, Page<T>> fetch;

  /** A page, and what to ask for the next one with: empty on the last. */
  record Page<T>(List<T> items, String nextPageToken) {}

  Items(String from, Function<String, Page<T>> fetch) {
    this.from = from;
    this.fetch = fetch;
  }

  @Override
  public Iterator<T> iterator() {
    return new Iterator<>() {
      private Iterator<T> page = Collections.emptyIterator();
      private String pageToken = from;

      @Override
      public boolean hasNext() {
        while (!page.hasNext() && pageToken != null) {
          Page<T> next = fetch.apply(pageToken);
          page = next.items().iterator();
          pageToken = next.nextPageToken().isEmpty() ? null : next.nextPageToken();
        }
        return page.hasNext();
      }

      @Override
      public T next() {
        if (!hasNext()) {
          throw new NoSuchElementException();
        }
        return page.next();
      }
    };
  }

  /** The same as a stream. */
  public Stream<T> stream() {
    return StreamSupport.stream(spliterator(), false);
  }
}
