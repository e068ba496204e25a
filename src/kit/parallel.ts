/**
 * Processes items with at most `limit` at once; results are in the order of the items. After the first failure, no item
 * is begun. The failure is thrown when all running items have ended.
 */
export async function parallel<Item, Result>(
  items: readonly Item[],
  limit: number,
  work: (item: Item, place: number) => Promise<Result>,
): Promise<Result[]> {
  const results = new Array<Result>(items.length)
  const failures: unknown[] = []
  const rest = items.entries()
  const worker = async () => {
    for (const [place, item] of rest) {
      if (failures.length > 0) return
      try {
        results[place] = await work(item, place)
      } catch (error) {
        failures.push(error)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(Math.max(1, limit), items.length) }, worker))
  if (failures.length > 0) throw failures[0]
  return results
}
