import type { JsonObject } from '../../../model/json.ts'
import { standaloneHost } from '../../kit/host.ts'
import type { Dialect, Session } from '../dialect.ts'
import { sqlSettings } from '../settings.ts'
import { SqlConnector } from '../sql-connector.ts'
import type { TestDatabase } from './server.ts'

/** A connector whose statements are seen before they are sent. */
export function watchedConnector(
  database: TestDatabase,
  settings: JsonObject,
  before: (sql: string) => unknown,
): SqlConnector {
  const { dialect } = database
  const watched: Dialect = {
    ...dialect,
    connect: async (signal) => new WatchedSession(await dialect.connect(signal), before),
  }
  return new SqlConnector(
    sqlSettings({ ...database.settings, ...settings }, standaloneHost()),
    watched,
    standaloneHost(),
  )
}

class WatchedSession implements Session {
  readonly #session: Session
  readonly #before: (sql: string) => unknown

  constructor(session: Session, before: (sql: string) => unknown) {
    this.#session = session
    this.#before = before
  }

  get isClosed(): boolean {
    return this.#session.isClosed
  }

  async rows(...call: Parameters<Session['rows']>) {
    await this.#before(call[0])
    return this.#session.rows(...call)
  }

  async run(...call: Parameters<Session['run']>) {
    await this.#before(call[0])
    return this.#session.run(...call)
  }

  async *stream(...call: Parameters<Session['stream']>) {
    await this.#before(call[0])
    yield* this.#session.stream(...call)
  }

  async answer(...call: Parameters<Session['answer']>) {
    await this.#before(call[0])
    return this.#session.answer(...call)
  }

  async *answers(...call: Parameters<Session['answers']>) {
    await this.#before(call[0])
    yield* this.#session.answers(...call)
  }

  close(): Promise<void> {
    return this.#session.close()
  }
}
