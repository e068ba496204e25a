import type { ScriptSource } from '../../scripts/engine.ts'
import { misconfigured } from '../kit/errors.ts'
import type { ConnectorProgram, ConnectorScripts } from '../kit/scripts.ts'
import { type ProgramSettings, program } from './program.ts'
import { type Hook, hooks, type ScriptedSettings } from './settings.ts'

/** The scripts of a connector, as their files are now: a changed file is loaded again before the next operation. */
export class ScriptSet implements AsyncDisposable {
  readonly #settings: ScriptedSettings
  readonly #scripts: ConnectorScripts
  readonly #seen: ProgramSettings
  #texts: string | undefined
  #loaded: Promise<ConnectorProgram<typeof program>> | undefined

  constructor(settings: ScriptedSettings, scripts: ConnectorScripts, hasConnection: boolean) {
    this.#settings = settings
    this.#scripts = scripts
    this.#seen = {
      configuration: settings.configuration,
      hasConnection,
      hasCustomizer: settings.files.has('customizer'),
    }
  }

  has(hook: Hook): boolean {
    return this.#settings.files.has(hook)
  }

  /** Throws what is wrong in the first script that is missing or does not compile. */
  async check(): Promise<void> {
    for (const source of this.#sources().values()) {
      const problem = await this.#scripts.check(await this.#runnable(source))
      if (problem)
        throw misconfigured(
          ['configurationProperties', hooks[source.hook]],
          `names a script that cannot run: ${problem.message}`,
        )
    }
  }

  /** `adhoc`: a script that came with a call, under the name `adhoc`. */
  async program(adhoc?: ScriptSource): Promise<ConnectorProgram<typeof program>> {
    if (adhoc) return this.#load([...this.#sources().values(), { ...adhoc, hook: 'adhoc' }])
    const sources = [...this.#sources().values()]
    const texts = JSON.stringify(sources)
    if (this.#loaded && this.#texts === texts) return this.#loaded
    const before = this.#loaded
    this.#texts = texts
    this.#loaded = this.#load(sources)
    await before?.then((loaded) => loaded[Symbol.asyncDispose]())
    return this.#loaded
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#loaded?.then((loaded) => loaded[Symbol.asyncDispose]())
  }

  async #load(sources: readonly (ScriptSource & { readonly hook: string })[]) {
    const scripts: Record<string, ScriptSource> = {}
    for (const { hook, ...source } of sources) scripts[hook] = await this.#runnable(source)
    return this.#scripts.load(program, { settings: this.#seen, scripts })
  }

  #sources(): ReadonlyMap<Hook, ScriptSource & { readonly hook: Hook }> {
    const { files } = this.#settings
    return new Map(Array.from(files, ([hook, paths]) => [hook, { hook, ...this.#source(hook, paths) }]))
  }

  #source(hook: Hook, paths: readonly string[]): ScriptSource {
    for (const file of paths) {
      const source = this.#scripts.read(file)
      if (source !== undefined) return { label: hook, source, file, globals: {} }
    }
    throw misconfigured(
      ['configurationProperties', hooks[hook]],
      `names a file that the project does not have: ${paths.join(', ')}`,
    )
  }

  /** A script that ends with `return`, as those of the Java connector do, is the body of a function. */
  async #runnable(script: ScriptSource): Promise<ScriptSource> {
    const body = { ...script, source: `(() => {${script.source}\n})()` }
    return (await this.#scripts.check(script)) && !(await this.#scripts.check(body)) ? body : script
  }
}
