/** An answer that may not be the last. */
interface Page {
  readonly nextPageToken: string;
}

/**
 * The items of a list, asked for page by page while they are looked at.
 *
 * A change to the list meanwhile loses no item that was there all the time, and repeats none.
 */
export async function* items<P extends Page, T>(
  fetch: (pageToken: string) => Promise<P>,
  of: (page: P) => readonly T[],
  from = "",
): AsyncGenerator<T, void, undefined> {
  for (let pageToken = from; ; ) {
    const page = await fetch(pageToken);
    yield* of(page);
    if (page.nextPageToken === "") {
      return;
    }
    pageToken = page.nextPageToken;
  }
}
