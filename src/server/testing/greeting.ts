import { type CompileTools, compileEach, feature } from '../../feature/feature.ts'
import { Problem } from '../../model/problem.ts'

/** What happened, in order. */
export const happened: string[] = []

/** `conf/greeting-<name>.json`, shown at `greeting/<name>`: as small as a feature can be that does everything that features do. */
export const greetingFeature = feature({
  name: 'greeting',
  documents: /^greeting\//,
  schema: { type: 'object', required: ['words'], properties: { words: { type: 'string' } } },
  async compile(documents, _tools: CompileTools) {
    const compiled = await compileEach(documents, (name, { words }) => ({
      ok: true,
      value: { name, words: String(words) },
    }))
    const findings = compiled.value.flatMap(({ name, words }) =>
      words === 'shout'
        ? {
            severity: 'warning' as const,
            document: `greeting/${name}`,
            place: ['words'],
            message: `greeting ${name}: do not shout in the morning`,
          }
        : [],
    )
    return { ...compiled, findings }
  },
  begin() {
    happened.push('begun')
    return {
      start: async () => void happened.push('started'),
      [Symbol.asyncDispose]: async () => void happened.push('ended'),
    }
  },
  open(greetings) {
    const all = greetings.map(({ words }) => words).join()
    happened.push(`opened ${all}`)
    return {
      mounts: {
        greeting: {
          async read(path) {
            const found = greetings.find(({ name }) => name === path)
            if (!found) throw new Problem('NOT_FOUND', `There is no greeting/${path}`)
            return { _id: path, words: found.words }
          },
        },
      },
      activate: async () => void happened.push(`in force ${all}`),
      start: async () => void happened.push(`started ${all}`),
      [Symbol.asyncDispose]: async () => void happened.push(`closed ${all}`),
    }
  },
})
