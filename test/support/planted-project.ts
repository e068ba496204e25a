/** A project into which secrets of every origin are planted. */
import { script } from '../../src/testing/script.ts'
import { nested, Planted, secretNames } from './planted.ts'
import { csvConnector, TestProject } from './project.ts'

/**
 * Values that nobody has seen before, told apart by where they may be:
 *
 *   sealed   nowhere but in the systems that they are for: encrypted properties and what is made of them, passwords of
 *            connectors, settings, globals of scripts, properties of files
 *   hidden   of private properties that are not encrypted: also where objects are stored
 *   named    of properties that nothing declares, but that are called like secrets: also in the object when it is read
 */
export const sealed = new Planted()
export const hidden = new Planted()
export const named = new Planted()

export const plainNames = secretNames.map((_, index) => `n${index}`)
export const columns = secretNames.map((_, index) => `c${index}`)

const text = { type: 'string' }
const encrypted = { encryption: { key: 'openidm-sym-default' } }
const isPrivate = { scope: 'private' }

export function plantedProject(): TestProject {
  const project = new TestProject()
  const systems = { door: columns, book: plainNames, list: secretNames, odd: ['a', 'b'] }
  for (const [name, list] of Object.entries(systems)) {
    project.write(`data/${name}.csv`, `id,${list.join(',')}\n`)
    const settings =
      name === 'door' ? { ...planted(), fromFile: '&{door.clientSecret}', headerPassword: 'c0' } : {}
    const connector = csvConnector(name, ['id', ...list], { ...settings, headerUid: 'id' })
    project.write(`conf/provisioner.openicf-${name}.json`, connector)
  }
  // Values that do not fit the types of their columns.
  const typed = csvConnector('typed', ['id', 'pin', 'n']) as {
    objectTypes: { account: { properties: object } }
  }
  typed.objectTypes.account.properties = { id: text, pin: { type: 'integer' }, n: { type: 'integer' } }
  project.write('conf/provisioner.openicf-typed.json', typed)
  project.write('data/typed.csv', `id,pin,n\nx,"${sealed.text().replaceAll('"', '""')}",\n`)
  project.write('conf/managed.json', { objects: types() })
  project.write('conf/sync.json', { mappings: mappings() })
  for (const [name, endpoint] of Object.entries(endpoints()))
    project.write(`conf/endpoint-${name}.json`, endpoint)
  // Without what a file of properties reads in another way.
  const value = sealed.text().replaceAll(/[\\\t\u2028]/g, '')
  project.write(
    'conf/boot/boot.properties',
    `openidm.audit.logFullObjects=true\ndoor.clientSecret=${value}\n`,
  )
  const handler = (kind: string) => ({
    class: `org.forgerock.audit.handlers.${kind}AuditEventHandler`,
    config: { name: kind, logDirectory: 'audit' },
  })
  const actions = ['create', 'update', 'patch', 'delete', 'action', 'read', 'query']
  project.write('conf/audit.json', {
    eventHandlers: [handler('Json'), handler('Csv'), handler('JsonStdout')],
    eventTopics: { activity: { filter: { actions } } },
  })
  return project
}

/** Under all names, at the top, in objects and in lists. */
export const planted = () => ({ ...sealed.named(), ...nested(sealed.named()) })

const each = (names: readonly string[], property: object) =>
  Object.fromEntries(names.map((name) => [name, property]))

/** Declarations of all that `nested` makes of the names, and of the names themselves. */
function declared(names: readonly string[], property: object) {
  const half = names.length >> 1
  const inner = { type: 'object', properties: each(names.slice(0, half), property) }
  const items = { type: 'object', properties: { name: text, ...each(names.slice(half), property) } }
  return {
    ...each(names, property),
    settings: { type: 'object', properties: { inner } },
    list: { type: 'array', items },
  }
}

function types() {
  const strict = { ...encrypted, policies: [{ policyId: 'minimum-length', params: { minLength: 1000 } }] }
  const onCreate = script(`throw { code: 400, message: 'not so: ' + openidm.decrypt(object.password),
    detail: { was: openidm.decrypt(object.pin) } }`)
  return [
    { name: 'vault', schema: { properties: { ...declared(secretNames, encrypted), strict } } },
    { name: 'cellar', schema: { properties: declared(secretNames, encrypted) }, onCreate },
    { name: 'diary', schema: { properties: declared(plainNames, isPrivate) } },
    { name: 'plain' },
  ]
}

/** What scripts of mappings make of secrets. */
const transforms = [
  'openidm.decrypt(source)',
  "'<' + openidm.decrypt(source) + '>'",
  'JSON.stringify({ value: openidm.decrypt(source) })',
  'encodeURIComponent(openidm.decrypt(source))',
  "String(openidm.decrypt(source)).split('').reverse().join('')",
]

const property = (source: string, target: string, transform?: string) => ({
  ...{ source, target },
  ...(transform && { transform: script(`source === null ? null : ${transform}`) }),
})

function mappings() {
  const mapping = (name: string, type: string, properties: readonly object[], more: object = {}) => ({
    ...{ name, source: `managed/${type}`, target: `system/${name}/account` },
    ...{ properties: [{ source: '_id', target: 'id' }, ...properties], ...more },
  })
  const made = secretNames.map((name, at) =>
    property(name, columns[at] ?? '', transforms[at % transforms.length]),
  )
  const onCreate = script(`throw new Error('no room for ' + openidm.decrypt(source.pwd) +
    JSON.stringify(openidm.decrypt(source.list)))`)
  const queuedSync = { enabled: true, pollingInterval: 20, retryDelay: 5, maxRetries: 0 }
  return [
    mapping('door', 'vault', made),
    mapping(
      'book',
      'diary',
      plainNames.map((name) => property(name, name)),
    ),
    mapping(
      'list',
      'plain',
      secretNames.map((name) => property(name, name)),
    ),
    {
      ...mapping('torn', 'diary', [
        property('', 'a', "(function () { throw new Error('no ' + JSON.stringify(source)) })()"),
      ]),
      ...{ target: 'system/odd/account', enableSync: false },
    },
    {
      ...mapping('unfit', 'vault', [property('secret', 'n', 'openidm.decrypt(source)')]),
      ...{ target: 'system/typed/account', enableSync: false },
    },
    {
      ...{ name: 'typed', source: 'system/typed/account', target: 'managed/plain' },
      properties: [{ source: 'pin', target: 'pin' }],
    },
    mapping(
      'odd',
      'vault',
      [property('password', 'a'), property('settings', 'b', 'JSON.stringify(source)')],
      {
        queuedSync: { ...queuedSync, postRetryAction: 'dead-letter-queue' },
        onCreate,
      },
    ),
  ]
}

/** Scripts that tell everything that they know. */
function endpoints() {
  const globals = { ...sealed.named(), deep: nested(sealed.named()), harmless: '&{door.clientSecret}' }
  const names = JSON.stringify(secretNames.filter((name) => /^\w+$/.test(name)))
  const tell = script(`${names}.forEach(function (name) { logger.warn(String(globalThis[name])) });
    logger.info('{} {}', deep, password); console.log(deep.list);
    throw { code: 418, message: 'with ' + apiKey + JSON.stringify(deep), detail: { pin: pin, deep: deep } }`)
  return {
    tell: { ...tell, globals },
    error: { ...script("throw new Error('failed with ' + token + '|' + pwd)"), globals },
    keys: { ...script("JSON.parse(client_secret + 'x')"), ...globals },
  }
}
