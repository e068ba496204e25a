import type { Json, JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import type {
  RequestContext,
  Resource,
  ResourceAction,
  ResourceQuery,
  Resources,
} from '../../router/resources.ts'
import { temporaryFolder } from '../../testing/folder.ts'
import type { ScriptContext, ScriptEngine, ScriptOutcome, ScriptSource, Secrets } from '../engine.ts'
import { type IsolateEngineOptions, isolateEngine } from '../isolate-engine.ts'

/** A real engine on an empty project folder, with resources in memory. */
export interface TestEngine extends AsyncDisposable {
  readonly engine: ScriptEngine
  readonly folder: string
  readonly store: Map<string, Resource>
  readonly requests: RecordedRequest[]
  readonly logged: [level: string, label: string, message: string][]
  /** Runs one script once, as the system. */
  value(source: string, variables?: JsonObject, context?: ScriptContext): Promise<Json | undefined>
  /** The problem with which a script ends. */
  failure(source: string, variables?: JsonObject, context?: ScriptContext): Promise<Problem>
}

export interface RecordedRequest {
  readonly operation: string
  readonly path: string
  readonly request: RequestContext
  readonly query?: ResourceQuery
  readonly action?: ResourceAction
}

export const system: ScriptContext = {
  request: {
    external: false,
    userId: 'system',
    roles: ['internal/role/openidm-admin'],
    transactionId: 'tx-1',
  },
}

export function script(source: string, globals: JsonObject = {}, label = 'test'): ScriptSource {
  return { label, source, globals }
}

/** Of a page of the procedure `each` with one script: values, and codes of errors. */
export const summary = (outcomes: readonly ScriptOutcome<unknown>[]) =>
  outcomes.map((outcome) => (outcome.ok ? (outcome.value as unknown[])[0] : outcome.error.code))

export async function testEngine(options: Partial<IsolateEngineOptions> = {}): Promise<TestEngine> {
  const temporary = temporaryFolder()
  const folder = temporary.path
  const store = new Map<string, Resource>()
  const requests: RecordedRequest[] = []
  const logged: TestEngine['logged'] = []
  const resources = memoryResources(store, requests)
  const engine = isolateEngine({
    resources: () => resources,
    secrets: plainSecrets,
    properties: () => undefined,
    projectFolder: folder,
    log: (level, label, message) => logged.push([level, label, message]),
    ...options,
  })
  const value: TestEngine['value'] = (source, variables = {}, context = system) =>
    engine.evaluate(script(source), variables, context)
  return {
    engine,
    folder,
    store,
    requests,
    logged,
    value,
    async failure(source, variables, context) {
      const result = await value(source, variables, context).catch((error: unknown) => error)
      if (result instanceof Problem) return result
      throw new Error(`expected a problem, got ${JSON.stringify(result)}`)
    },
    async [Symbol.asyncDispose]() {
      await engine[Symbol.asyncDispose]()
      temporary[Symbol.dispose]()
    },
  }
}

/** Just enough of a router: objects by path, every request recorded. */
export function memoryResources(store: Map<string, Resource>, requests: RecordedRequest[]): Resources {
  function existing(path: string): Resource {
    const object = store.get(path)
    if (!object) throw new Problem('NOT_FOUND', `${path} not found`, { detail: { path } })
    return object
  }
  return {
    async read(path, request) {
      requests.push({ operation: 'read', path, request })
      return existing(path)
    },
    async query(path, query, request) {
      requests.push({ operation: 'query', path, query, request })
      const result = [...store].filter(([key]) => key.startsWith(`${path}/`)).map(([, object]) => object)
      return { result, cookie: null }
    },
    async create(path, id, content, request) {
      requests.push({ operation: 'create', path, request })
      const _id = id ?? `new-${store.size + 1}`
      if (store.has(`${path}/${_id}`)) throw new Problem('PRECONDITION_FAILED', `${path}/${_id} exists`)
      const object = { ...content, _id, _rev: '1' }
      store.set(`${path}/${_id}`, object)
      return object
    },
    async update(path, rev, content, request) {
      requests.push({ operation: 'update', path, request })
      const object = { ...content, _id: existing(path)._id, _rev: `${rev ?? 'any'}+` }
      store.set(path, object)
      return object
    },
    async patch(path, _rev, operations, request) {
      requests.push({ operation: 'patch', path, request })
      return { ...existing(path), operations: operations.length }
    },
    async delete(path, _rev, request) {
      requests.push({ operation: 'delete', path, request })
      const object = existing(path)
      store.delete(path)
      return object
    },
    async action(path, action, request) {
      requests.push({ operation: 'action', path, action, request })
      return { done: action.name }
    },
    objectSet(path) {
      throw new Problem('NOT_FOUND', `${path} is no object set`)
    },
  }
}

/** Shapes only; the real thing is tested in config/secrets.test.ts. */
const plainSecrets: Secrets = {
  encrypt: async (value, cipher, alias) => ({
    $crypto: { type: 'x-simple-encryption', value: { cipher, key: alias, data: value } },
  }),
  decrypt: async (value) => value,
  isEncrypted: (value) => JSON.stringify(value ?? null).includes('x-simple-encryption'),
  hash: async (value, algorithm) => ({ $crypto: { type: 'salted-hash', value: { algorithm, data: value } } }),
  isHashed: (value) => JSON.stringify(value ?? null).includes('salted-hash'),
  matches: async (plain, hashed) => JSON.stringify(hashed).includes(JSON.stringify(plain)),
}
