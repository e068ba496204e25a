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

interface Chance {
  readonly random?: () => number
  /** Only people change who have not changed since then; undefined: everybody. */
  settled?(): number | undefined
}

/** Changes by chance, one after the other; knows what the place should hold, and when somebody changed last. */
export class ChangingPeople {
  readonly place: PeoplePlace
  readonly counts = new Map<Kind, number>()
  readonly #here = new Map<string, Person>()
  readonly #gone = new Map<string, Person>()
  /** Milliseconds since 1970, when the change had been done. */
  readonly #changed = new Map<string, number>()
  readonly #random: () => number
  readonly #settled: () => number | undefined
  #number = 0

  constructor(place: PeoplePlace, { random = Math.random, settled = () => undefined }: Chance = {}) {
    this.place = place
    this.#random = random
    this.#settled = settled
  }

  /** One change more; of a kind by chance, unless it is given. */
  async step(given?: Kind): Promise<void> {
    const [kind, [number, work]] = this.#prepared(given)
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

  /** A kind that has somebody, and what it does. */
  #prepared(given: Kind | undefined): readonly [kind: Kind, [number: string, work: () => Promise<void>]] {
    const [here, gone] = [this.#free(this.#here), this.#free(this.#gone)]
    const possible = kinds.filter(
      (kind) => kind === 'create' || (kind === 'undelete' ? gone.length > 0 : here.length > 5),
    )
    const kind = given ?? this.#oneOf(possible)
    if (kind === 'create') return [kind, this.#creation()]
    const person = this.#oneOf(kind === 'undelete' ? gone : here)
    return [kind, [person.number, () => this.#done(kind, person)]]
  }

  #free(people: ReadonlyMap<string, Person>): readonly Person[] {
    const settled = this.#settled() ?? Number.POSITIVE_INFINITY
    return [...people.values()].filter(({ number }) => (this.#changed.get(number) ?? 0) < settled)
  }

  #creation(): [number: string, work: () => Promise<void>] {
    const number = String(++this.#number)
    const person = { number, name: `n${number}`, unit: this.#oneOf(this.place.units), mail: `${number}@x` }
    return [number, () => this.#come(person, this.place.create(person))]
  }

  #done(kind: Exclude<Kind, 'create'>, person: Person): Promise<void> {
    if (kind === 'undelete') return this.#come(person, this.place.undelete(person))
    if (kind === 'delete') return this.#leave(person)
    const after = this.#changedPerson(person, kind)
    return this.#come(after, this.place.change(person, after))
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
