/** `Accept-Language`, the most wanted first; without what is not wanted, and without "any". */
export function preferredLanguages(header: string | undefined): readonly string[] {
  return (header ?? '')
    .split(',')
    .map((range) => {
      const [, tag = '', weight = '1'] = /^\s*([A-Za-z0-9-]+)\s*(?:;\s*q=([\d.]+)\s*)?$/.exec(range) ?? []
      return { tag, weight: Number(weight) }
    })
    .filter(({ tag, weight }) => tag !== '' && weight > 0)
    .sort((a, b) => b.weight - a.weight)
    .map(({ tag }) => tag)
}
