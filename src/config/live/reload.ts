import type { Log } from '../../kit/log.ts'
import { asProblem } from '../../model/problem.ts'
import type { ConfigurationStore } from '../../repository/configuration-store.ts'
import { formatProblem } from '../locate.ts'
import { type Candidate, everyProblem, isSame, type States, textsOf } from './candidate.ts'
import { conflictingUse, newErrors } from './refusals.ts'

export interface ReloadOptions<State extends Candidate> extends States<State> {
  readonly store: Pick<ConfigurationStore, 'stamp'>
  /** Records the present state of a file. */
  readonly note: (id: string, text: string | undefined) => Promise<void>
  readonly log: Log
}

/**
 * Reloads the project's changed files. Of a file that has become wrong, the old text stays in force; the others are
 * reloaded; files in use wait. Each message is logged once.
 */
export class Reload<State extends Candidate> {
  readonly #options: ReloadOptions<State>
  /** The files at the last check. */
  #seen = ''
  #reported: string | undefined

  constructor(options: ReloadOptions<State>) {
    this.#options = options
  }

  /** Returns whether anything was reloaded; never rejects because of the files' content. */
  async look(): Promise<boolean> {
    const stamp = await this.#options.store.stamp()
    if (stamp === this.#seen) return false
    try {
      const outcome = await this.#reload()
      // Files in use are checked again later.
      if (outcome !== 'busy') this.#seen = stamp
      return outcome === 'reloaded'
    } catch (error) {
      this.#say('error', `the configuration cannot be read: ${asProblem(error).message}; it is as it was`)
      return false
    }
  }

  /** Another configuration is in force: without this, a file put back by hand would look unchanged. */
  forget(): void {
    this.#seen = ''
  }

  async #reload(): Promise<'nothing new' | 'busy' | 'reloaded'> {
    const { current, prepare, activate, inUse, note } = this.#options
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
    const doubted = new Set((await everyProblem(current())).map(formatProblem))
    const doubtful = await everyProblem(next)
    // From here on its successor disposes of it.
    held.move()
    if (next !== disk) await disk[Symbol.asyncDispose]()
    await activate(next)
    for (const problem of doubtful) {
      const text = formatProblem(problem)
      if (problem.severity === 'warning' && !doubted.has(text)) this.#options.log('warn', text)
    }
    const after = textsOf(next.project)
    for (const id of new Set([...before.keys(), ...after.keys()]))
      if (after.get(id) !== before.get(id)) await note(id, after.get(id))
    if (errors.length === 0) this.#reported = undefined
    return 'reloaded'
  }

  /** The project with the old text of wrong files; undefined if that does not help. */
  async #withoutBroken(disk: State): Promise<State | undefined> {
    const { current, prepare } = this.#options
    const before = new Map(current().project.files.map((one) => [one.file, one]))
    const errors = newErrors(disk, current())
    // A new file that is wrong does not affect what runs.
    if (errors.every(({ file }) => !before.has(file))) return disk
    const broken = new Set(errors.map(({ file }) => file))
    const files = disk.project.files.map((one) =>
      broken.has(one.file) ? (before.get(one.file) ?? one) : one,
    )
    const repaired = await prepare(files)
    if (newErrors(repaired, current()).every(({ file }) => !before.has(file))) return repaired
    // The error is in none of these files, but in a script or a missing file.
    await repaired[Symbol.asyncDispose]()
    return undefined
  }

  #say(level: 'info' | 'error', message: string): void {
    if (this.#reported !== message) this.#options.log(level, message)
    this.#reported = message
  }
}
