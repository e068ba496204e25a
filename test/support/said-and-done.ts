/** What the command line says, and what both systems hold: to be compared. */
import { accounts, type Company, users } from './company.ts'
import { bin, type Result, run } from './project.ts'

/** A command as a person types it, in the folder of the project: a process of its own. */
export function type(project: Company, command: string): Said {
  const [program, ...words] = shellWords(command)
  if (program !== 'syncline') throw new Error(`no command of ours: ${command}`)
  return new Said(command, run(process.execPath, [bin, ...words], {}, { cwd: project.folder }))
}

/** Words, and text in quotes. */
function shellWords(command: string): readonly string[] {
  return [...command.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
    ([, one, other, word]) => one ?? other ?? word ?? '',
  )
}

/** The output of a command, read as a person reads it. */
export class Said {
  readonly command: string
  readonly code: number | null
  readonly out: string
  readonly err: string

  constructor(command: string, { code, out, err }: Result) {
    Object.assign(this, { command, code, out, err })
    this.command = command
    this.code = code
    this.out = out
    this.err = err
  }

  /** Every command that the output names, in the order in which it names them. */
  get waysOut(): readonly string[] {
    return [...this.out.matchAll(/^ {4}(syncline .+)$|`(syncline [^`]+)`/gm)].map(
      ([, line, words]) => line ?? words ?? '',
    )
  }

  /** The one that begins so. */
  wayOut(beginning: string): string {
    const found = this.waysOut.find((one) => one.startsWith(beginning))
    if (found === undefined) throw new Error(`no way out "${beginning}" in:\n${this.out}`)
    return found
  }

  /** The counts of a run. */
  get counts(): Readonly<Record<string, number>> {
    const [, ...values] =
      /^ *Created +Updated.*\n +(\d+) +(\d+) +(\d+) +(\d+) +(\d+) +(\d+)$/m.exec(this.out) ?? []
    const names = ['created', 'updated', 'unchanged', 'deleted', 'links', 'failed']
    return Object.fromEntries(names.map((name, place) => [name, Number(values[place])]))
  }

  /** Of a plan: how many objects there are of a situation and action, and how many of them are to be written. */
  get plan(): Readonly<Record<string, readonly [objects: number, toWrite: number]>> {
    const rows = this.out.matchAll(/^ +([A-Z_]+) +([A-Z]+) +(\d+) +(\d+)$/gm)
    return Object.fromEntries(
      [...rows].map(([, situation, action, objects, toWrite]) => [
        `${situation} ${action}`,
        [Number(objects), Number(toWrite)] as const,
      ]),
    )
  }

  /** To how many accounts it says that the writes flow on. */
  get flowsOn(): number {
    return Number(
      /Flows on to system\/directory\/account.*: ([\d,]+) change/.exec(this.out)?.[1]?.replaceAll(',', '') ??
        0,
    )
  }
}

type Objects = ReadonlyMap<string, string>

/** Both systems, and who is linked to whom. */
export interface Held {
  /** By number, as users and accounts may get another id when they are created anew. */
  readonly users: Objects
  readonly accounts: Objects
  /** Source id → number, or login, of its target. */
  readonly links: { readonly [users]: Objects; readonly [accounts]: Objects }
}

interface User {
  readonly _id: string
  readonly number: string
}

export function held(project: Company): Held {
  const { result } = project.json<{ result: readonly User[] }>('query', 'managed/user')
  const numberOf = new Map(result.map(({ _id, number }) => [_id, number]))
  const [, ...rows] = project.read('data/directory.csv').trimEnd().split('\n')
  const linksOf = (mapping: string) =>
    project.json<{ links: readonly { sourceId: string; targetId: string }[] }>(
      ...['links', mapping, '--limit', '100000'],
    ).links
  return {
    users: new Map(
      result.map((one) => [
        one.number,
        JSON.stringify(
          Object.entries(one)
            .filter(([name]) => !name.startsWith('_'))
            .toSorted(),
        ),
      ]),
    ),
    accounts: new Map(rows.map((row) => [row.split(',')[0]?.replaceAll('"', '') ?? '', row])),
    links: {
      [users]: new Map(
        linksOf(users).map(({ sourceId, targetId }) => [sourceId, numberOf.get(targetId) ?? 'nobody']),
      ),
      [accounts]: new Map(
        linksOf(accounts).map(({ sourceId, targetId }) => [numberOf.get(sourceId) ?? 'nobody', targetId]),
      ),
    },
  }
}

/** What has happened in between. */
export function happened(before: Held, after: Held) {
  return { users: changes(before.users, after.users), accounts: changes(before.accounts, after.accounts) }
}

function changes(before: Objects, after: Objects) {
  const created = [...after.keys()].filter((key) => !before.has(key))
  const deleted = [...before.keys()].filter((key) => !after.has(key))
  const updated = [...after].filter(([key, value]) => before.has(key) && before.get(key) !== value)
  return { created: created.length, updated: updated.length, deleted: deleted.length }
}

export const nothing = { created: 0, updated: 0, deleted: 0 }
