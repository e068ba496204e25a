/** Items in arrays of at most `size`. */
export function* chunks<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size)
}

/** The same for items that come one by one. */
export async function* chunksOf<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<readonly T[]> {
  let chunk: T[] = []
  for await (const item of items) {
    if (chunk.push(item) < size) continue
    yield chunk
    chunk = []
  }
  if (chunk.length > 0) yield chunk
}

/**
 * Full pages from pages of any size, with what `change` makes of their items; undefined leaves an item out. Returns what
 * `pages` returns.
 */
export async function* repaged<S, T, R>(
  pages: AsyncGenerator<readonly S[], R | undefined>,
  size: number,
  change: (item: S) => T | undefined,
): AsyncGenerator<readonly T[], R | undefined> {
  let page: T[] = []
  try {
    for (let next = await pages.next(); ; next = await pages.next()) {
      if (next.done) {
        if (page.length > 0) yield page
        return next.value
      }
      for (const item of next.value) {
        const changed = change(item)
        if (changed !== undefined) page.push(changed)
        if (page.length < size) continue
        yield page
        page = []
      }
    }
  } finally {
    await pages.return(undefined)
  }
}
