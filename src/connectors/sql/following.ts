import type { Json } from '../../model/json.ts'
import type { ConnectorChange } from '../kit/changes.ts'
import type { ChangeReading } from './row-stream.ts'

/** What tells which rows were written since a position. */
export interface Following {
  /** What positions count in: a column, a slot. */
  nameIn(reading: ChangeReading): string
  /** The position of the present. */
  latest(reading: ChangeReading, signal?: AbortSignal): Promise<Json>
  /** Changes after a position, and the position after each page; without one, all rows. */
  after(reading: ChangeReading, known: Json | undefined, signal?: AbortSignal): AsyncGenerator<FollowedPage>
}

export interface FollowedPage {
  readonly changes: readonly ConnectorChange[]
  readonly at: Json
}
