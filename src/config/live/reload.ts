import { asProblem } from '../../model/problem.ts'
import { formatProblem } from '../locate.ts'
import { type Candidate, isSame, type States, textsOf } from './candidate.ts'
import { conflictingUse, newErrors } from './refusals.ts'

export interface ReloadOptions<State extends Candidate> {
  readonly states: States<State>
  /** Of all files. */
  readonly stamp: () => Promise<string>
  /** Takes note of what a file is now. */
  readonly note: (id: string, text: string | undefined) => Promise<void>
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
}

/**
 * Takes up what has changed in the project's files. A file that has become wrong stays in force as it was before, the others are taken
 * up; what somebody is working with waits. Each thing is said once.
 */
export class Reload<State extends Candidate> {
  readonly #options: ReloadOptions<State>
  /** The files as they were when they were last looked at. */
  #seen = ''
  #said: string | undefined

  constructor(options: ReloadOptions<State>) {
    this.#options = options
  }

  /** Answers whether anything was taken up; never rejects for what is in the files. */
  async look(): Promise<boolean> {
    const stamp = await this.#options.stamp()
    if (stamp === this.#seen) return false
    try {
      const outcome = await this.#reload()
      // What waits for somebody to end is looked at again.
      if (outcome !== 'busy') this.#seen = stamp
      return outcome === 'taken up'
    } catch (error) {
      this.#say('error', `the configuration cannot be read: ${asProblem(error).message}; it is as it was`)
      return false
    }
  }

  /** Something else has been put in force: were a file put back by hand now, it would look as if nothing had happened. */
  forget(): void {
    this.#seen = ''
  }

  async #reload(): Promise<'nothing new' | 'busy' | 'taken up'> {
    const { states, note } = this.#options
    const { current, prepare, activate, inUse } = states
    await using held = new AsyncDisposableStack()
    const disk = held.use(await prepare(undefined))
    const errors = newErrors(disk, current()).map(formatProblem)
    if (errors.length > 0)
      this.#say(
        'error',
        `the configuration has errors; what they concern stays as it was: ${errors.join('; ')}`,
      )
    const next = await this.#withoutBroken(disk)
    if (!next || isSame(next, current())) {
      if (next !== disk) await next?.[Symbol.asyncDispose]()
      return 'nothing new'
    }
    if (next !== disk) held.use(next)
    const used = conflictingUse(next.entries, current().entries, await inUse())
    if (used) {
      this.#say('info', `a file has changed, and is taken up later: ${used.entry} is in use by ${used.by}`)
      return 'busy'
    }
    const before = textsOf(current().project)
    // From here on it is its successor that ends it.
    held.move()
    if (next !== disk) await disk[Symbol.asyncDispose]()
    await activate(next)
    const after = textsOf(next.project)
    for (const id of new Set([...before.keys(), ...after.keys()]))
      if (after.get(id) !== before.get(id)) await note(id, after.get(id))
    if (errors.length === 0) this.#said = undefined
    return 'taken up'
  }

  /** With the files that have become wrong as they were before; undefined if that does not help. */
  async #withoutBroken(disk: State): Promise<State | undefined> {
    const { current, prepare } = this.#options.states
    const before = new Map(current().project.files.map((one) => [one.file, one]))
    const errors = newErrors(disk, current())
    // A file that is new and wrong does no harm to what runs.
    if (errors.every(({ file }) => !before.has(file))) return disk
    const broken = new Set(errors.map(({ file }) => file))
    const files = disk.project.files.map((one) =>
      broken.has(one.file) ? (before.get(one.file) ?? one) : one,
    )
    const repaired = await prepare(files)
    if (newErrors(repaired, current()).every(({ file }) => !before.has(file))) return repaired
    // What is wrong is in none of these files, but in a script, or in what they no longer find.
    await repaired[Symbol.asyncDispose]()
    return undefined
  }

  #say(level: 'info' | 'error', message: string): void {
    if (this.#said !== message) this.#options.log(level, message)
    this.#said = message
  }
}
