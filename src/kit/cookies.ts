/** The part of a query that selects the next page; empty for the first page. */
export type From = { readonly cookie?: string }

/**
 * Every page of a query, by following its cookies. `fetch` gets `{}` for the first page, then `{ cookie }`. A page whose
 * cookie is null or absent is the last one.
 */
export async function* pages<Page extends { readonly cookie?: string | null | undefined }>(
  fetch: (from: From) => Promise<Page>,
  signal?: AbortSignal,
): AsyncGenerator<Page> {
  let from: From = {}
  for (;;) {
    signal?.throwIfAborted()
    const page = await fetch(from)
    yield page
    if (page.cookie === null || page.cookie === undefined) return
    from = { cookie: page.cookie }
  }
}
