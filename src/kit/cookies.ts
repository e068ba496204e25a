import type { Json } from '../model/json.ts'

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

/**
 * A cookie that names the place where a page ended, in the order of its query. So it stays valid while objects are created
 * and deleted. Opaque to clients, not secret.
 */
export function printCookie(place: readonly (Json | undefined)[]): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url')
}

/** The place that a cookie names; undefined for any other text. */
export function placeIn(cookie: string): readonly Json[] | undefined {
  try {
    const place: unknown = JSON.parse(Buffer.from(cookie, 'base64url').toString())
    return Array.isArray(place) ? place : undefined
  } catch {
    return undefined
  }
}
