/** People who change at some place, in every way that there is, by chance; and what a copy of them must say. */

export interface Person {
  /** Never changes, and is nobody else's. */
  readonly number: string
  readonly name: string
  readonly unit: string
  readonly mail: string
}

/** A place where people change, as other programs change it. */
export interface PeoplePlace {
  readonly units: readonly string[]
  create(person: Person): Promise<void>
  /** Attributes, name and unit: whatever differs. */
  change(before: Person, after: Person): Promise<void>
  delete(person: Person): Promise<void>
  /** Brings back somebody who was deleted: as the one that was, where the place can. */
  undelete(person: Person): Promise<void>
  people(): Promise<readonly Person[]>
}

export const kinds = ['create', 'modify', 'rename', 'move', 'delete', 'undelete'] as const
type Kind = (typeof kinds)[number]

/** Changes by chance, one after the other; knows what the place should hold, and when somebody changed last. */
export class ChangingPeople {
  readonly place: PeoplePlace
  readonly counts = new Map<Kind, number>()
  readonly #here = new Map<string, Person>()
  readonly #gone = new Map<string, Person>()
  /** Milliseconds since 1970, when the change had been done. */
  readonly #changed = new Map<string, number>()
  readonly #random: () => number
  #number = 0

  constructor(place: PeoplePlace, random: () => number = Math.random) {
    this.place = place
    this.#random = random
  }

  /** One change more. */
  async step(): Promise<void> {
    const kind = this.#kind()
    const [number, work] = this.#prepared(kind)
    // Until it is done, nobody can say what the place holds.
    this.#changed.set(number, Number.POSITIVE_INFINITY)
    await work()
    this.#changed.set(number, Date.now())
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1)
  }

  /** Those who are there. */
  get people(): readonly Person[] {
    return [...this.#here.values()]
  }

  /** What there should be of those who have not changed since then; undefined: nobody. */
  before(time: number): ReadonlyMap<string, Person | undefined> {
    const numbers = [...this.#changed].flatMap(([number, changed]) => (changed < time ? [number] : []))
    return new Map(numbers.map((number) => [number, this.#here.get(number)]))
  }

  #kind(): Kind {
    if (this.#here.size < 5) return 'create'
    const kind = this.#oneOf(kinds)
    return kind === 'undelete' && this.#gone.size === 0 ? 'delete' : kind
  }

  #prepared(kind: Kind): readonly [number: string, work: () => Promise<void>] {
    if (kind === 'create') {
      const number = String(++this.#number)
      const person = { number, name: `n${number}`, unit: this.#oneOf(this.place.units), mail: `${number}@x` }
      return [number, () => this.#come(person, this.place.create(person))]
    }
    const person = this.#oneOf([...(kind === 'undelete' ? this.#gone : this.#here).values()])
    const { number } = person
    if (kind === 'undelete') return [number, () => this.#come(person, this.place.undelete(person))]
    if (kind === 'delete') return [number, () => this.#leave(person)]
    const after = this.#changedPerson(person, kind)
    return [number, () => this.#come(after, this.place.change(person, after))]
  }

  #changedPerson(person: Person, kind: 'modify' | 'rename' | 'move'): Person {
    const mark = Math.floor(this.#random() * 1e6)
    if (kind === 'modify') return { ...person, mail: `${person.number}.${mark}@x` }
    if (kind === 'rename') return { ...person, name: `n${person.number}-${mark}` }
    return { ...person, unit: this.#oneOf(this.place.units.filter((unit) => unit !== person.unit)) }
  }

  async #come(person: Person, done: Promise<void>): Promise<void> {
    await done
    this.#gone.delete(person.number)
    this.#here.set(person.number, person)
  }

  async #leave(person: Person): Promise<void> {
    await this.place.delete(person)
    this.#here.delete(person.number)
    this.#gone.set(person.number, person)
  }

  #oneOf<T>(list: readonly T[]): T {
    return list[Math.floor(this.#random() * list.length)] as T
  }
}
