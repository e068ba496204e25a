import { type CompileTools, type Document, feature } from '../../feature/feature.ts'
import type { DocumentFinding, Read } from '../../model/finding.ts'
import { asObject, isJsonObject, type JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import { queryCollection } from '../../router/collection.ts'
import type { Resource, ResourceProvider } from '../../router/resources.ts'
import { requestVariable } from '../../router/scripts/request-variable.ts'
import { checkedScript } from '../../scripts/definition.ts'
import type { ScriptEngine, ScriptSource } from '../../scripts/engine.ts'
import { version } from '../version.ts'
import { infoProvider, stateOf, versionOf } from './info.ts'

interface Info {
  /** What the project makes of `info` itself: `conf/info-<name>.json`. */
  readonly scripts: Readonly<Record<string, ScriptSource>>
  readonly uiConfiguration: JsonObject | undefined
  readonly features: readonly Resource[]
}

export interface InfoHost {
  readonly isStopping: () => boolean
}

/**
 * `info/…` (platform §2). `ping`, `login` and `version` are built in: the stock files that name their scripts are read, and change
 * nothing. Other scripts answer under the names of their files.
 */
export const infoFeature = feature({
  name: 'info',
  documents: /^(?:info\/.+|ui\/configuration|external\.email|endpoint\/.+)$/,
  async compile(documents, tools: CompileTools) {
    const scripts: Record<string, ScriptSource> = {}
    const findings: DocumentFinding[] = []
    for (const { id, content } of documents.filter((document) => document.id.startsWith('info/'))) {
      if (!content || content.enabled === false || isStock(content)) continue
      const name = id.slice('info/'.length)
      const read = await readScript(name, content, tools)
      if (read.ok) scripts[name] = read.value
      else findings.push({ ...read.finding, document: id })
    }
    const uiConfiguration = documents.find(({ id }) => id === 'ui/configuration')?.content
    const value: Info = { scripts, uiConfiguration, features: featuresIn(documents) }
    return { value, findings, entries: { ...scripts, 'ui/configuration': uiConfiguration } }
  },
  begin({ isStopping }: InfoHost) {
    return { isStopping, mounts: { info: infoProvider(isStopping, version()) } }
  },
  open({ scripts, uiConfiguration, features }, { engine }: Pick<CompileTools, 'engine'>, begun) {
    const variables = () => ({
      healthinfo: stateOf(begun?.isStopping ?? (() => false)),
      version: versionOf(version()),
    })
    return {
      mounts: {
        ...Object.fromEntries(
          Object.entries(scripts).map(([name, script]) => [
            `info/${name}`,
            scripted(name, script, engine, variables),
          ]),
        ),
        'info/features': featureProvider(features),
        'info/uiconfig': uiConfigProvider(uiConfiguration),
      },
    }
  },
})

/** A script of OpenIDM's own folder, which says what the server says itself. */
function isStock({ file, source }: JsonObject): boolean {
  return (
    source === undefined &&
    /^(?:bin\/defaults\/script\/)?info\/(?:login|ping|version)\.js$/.test(String(file))
  )
}

function readScript(
  name: string,
  { infocontext, enabled, _id, ...definition }: JsonObject,
  { engine, readFile }: CompileTools,
): Promise<Read<ScriptSource>> {
  return checkedScript(definition, { label: `info ${name}`, engine, readFile, codeAt: ['source'] })
}

function scripted(
  name: string,
  script: ScriptSource,
  engine: ScriptEngine,
  variables: () => JsonObject,
): ResourceProvider {
  return {
    async read(path, { fields, ...context }) {
      const request = { content: null, ...requestVariable({ verb: 'read', path, context, fields }) }
      const found = await engine.evaluate(script, { ...variables(), request }, { request: context })
      if (isJsonObject(found)) return { _id: '', ...found } as Resource
      throw new Problem('SCRIPT_FAILED', `info/${name}: the script must return an object`)
    },
  }
}

/** What a client may look for, and where; the rest is in docs/not-yet.md. */
function featuresIn(documents: readonly Document[]): readonly Resource[] {
  const endpoints = documents.flatMap(({ id, content }) =>
    id.startsWith('endpoint/') && content && content.enabled !== false ? [`${id}/*`] : [],
  )
  const hasMail = documents.some(({ id, content }) => id === 'external.email' && content)
  const has = (name: string, paths: readonly string[]): Resource => ({
    _id: name,
    ...{ name, enabled: paths.length > 0, endpoints: [...paths] },
  })
  return [
    has('email', hasMail ? ['external/email'] : []),
    has('endpoint', ['endpoint/linkedView/*', 'util/validateQueryFilter', ...endpoints]),
    ...['identityProviders', 'passwordReset', 'registration', 'retrieveUsername', 'workflow'].map((name) =>
      has(name, []),
    ),
  ]
}

function featureProvider(features: readonly Resource[]): ResourceProvider {
  return {
    async read(path) {
      const found = features.find(({ _id }) => _id === path)
      if (found) return found
      if (path === '') throw new Problem('BAD_REQUEST', 'info/features is a set: query it with _queryFilter')
      throw new Problem('NOT_FOUND', `There is no feature ${path}`)
    },
    async query(path, query) {
      if (path !== '') throw new Problem('NOT_IMPLEMENTED', `info/features/${path} is an object, not a set`)
      return queryCollection(features, query)
    },
  }
}

/** What a user interface asks before anybody has logged in: `conf/ui-configuration.json`, and the language of the browser. */
function uiConfigProvider(content: JsonObject | undefined): ResourceProvider {
  return {
    async read(path, { languages = [] }) {
      if (path !== '' || !content)
        throw new Problem(
          'NOT_FOUND',
          'There is no resource info/uiconfig without conf/ui-configuration.json',
        )
      const configuration = asObject(content.configuration)
      const [preferred] = languages
      const lang = preferred?.split('-')[0] ?? configuration.lang ?? 'en'
      return { _id: '', configuration: { ...configuration, lang } }
    },
  }
}
