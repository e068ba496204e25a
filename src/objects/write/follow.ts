import type { RequestContext } from '../../router/resources.ts'
import type { OnChange } from './changes.ts'

/** True if what changes in this set, in this chain of requests, is to be carried on. */
export function isHeard(onChange: OnChange, path: string, { chain, readOnly }: RequestContext): boolean {
  return chain?.synchronizes !== false && readOnly !== true && onChange.concerns(path)
}

/** Does what follows from a write, or hands it to whoever wants to do so later. */
export async function follow(
  position: number,
  request: RequestContext,
  work: (request: RequestContext) => Promise<void>,
): Promise<void> {
  const { afterwards, ...chain } = request.chain ?? {}
  const within = { ...request, chain }
  if (afterwards) afterwards(position, () => work(within))
  else await work(within)
}
