import { join } from 'node:path'
import { fileSecrets } from '../../config/secrets.ts'
import type { Resources } from '../../router/resources.ts'
import { router } from '../../router/router.ts'
import { scriptSource } from '../../scripts/definition.ts'
import type { ScriptEngine } from '../../scripts/engine.ts'
import { isolateEngine } from '../../scripts/isolate-engine.ts'
import { temporaryStore } from '../../testing/store.ts'
import { managedObjects } from '../resource.ts'
import type { TypeParts } from '../type/compile.ts'
import type { Cryptography } from '../type/encryption.ts'
import { declaredScripts, loadedScripts } from '../type/scripts.ts'
import type { ManagedType } from '../type/type.ts'

/** What types are compiled with, their scripts run for real. */
export function scriptedParts(
  types: readonly ManagedType[],
  { engine, cryptography }: { readonly engine: ScriptEngine; readonly cryptography: Cryptography },
) {
  const disposed = new AsyncDisposableStack()
  const parts = new Map<ManagedType, TypeParts>()
  for (const type of types) {
    const scripts = Object.fromEntries(
      declaredScripts(type).map(({ name, definition }) => {
        const read = scriptSource(definition, { label: name, readFile: () => undefined })
        if (!read.ok) throw new Error(read.finding.message)
        return [name, read.value]
      }),
    )
    parts.set(type, { scripts: disposed.use(loadedScripts({ type, scripts }, engine)), cryptography })
  }
  return {
    partsOf(type: ManagedType): TypeParts {
      const found = parts.get(type)
      if (!found) throw new Error(`${type.name} was not made ready`)
      return found
    },
    [Symbol.asyncDispose]: () => disposed.disposeAsync(),
  }
}

/** Objects of these types in a store of their own, with scripts and encryption. */
export async function openTypes(types: readonly ManagedType[], onSaid: (line: string) => void = () => {}) {
  const disposed = new AsyncDisposableStack()
  const { repository, folder } = disposed.use(await temporaryStore())
  let resources: Resources
  const cryptography = fileSecrets({ keyFile: join(folder, 'key'), env: {} })
  const engine = disposed.use(
    isolateEngine({
      ...{ resources: () => resources, secrets: cryptography, properties: () => undefined },
      ...{ projectFolder: folder, log: (_level, _label, message) => onSaid(message) },
    }),
  )
  const { partsOf } = disposed.use(scriptedParts(types, { engine, cryptography }))
  resources = router({ managed: await managedObjects({ repository, types, partsOf }) })
  return { resources, repository, cryptography, [Symbol.asyncDispose]: () => disposed.disposeAsync() }
}
