import { readFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import { posix } from 'node:path'
import type ivm from 'isolated-vm'
import { Problem } from '../../model/problem.ts'

/**
 * Loads pure modules of our own source tree into an isolate: the sandbox's inner half and the procedures. Unbuilt, they
 * are TypeScript whose types are stripped; built, the JavaScript beside this file.
 * A module may import its own folder and the pure core, nothing else.
 */
const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js'
const sources = new URL('../../', import.meta.url)
/** The sandbox's inner half. */
export const runnerAddress = new URL(`../inside/runner${extension}`, import.meta.url)
const pureFolders = ['model', 'mapping', 'plan']

/** Loads and evaluates modules. One loader a context: a module that two others import is one module there. */
export function moduleLoader(
  isolate: ivm.Isolate,
  context: ivm.Context,
): (address: URL) => Promise<ivm.Module> {
  const modules = new Map<string, Promise<ivm.Module>>()
  const addresses = new Map<ivm.Module, URL>()

  function compile(address: URL): Promise<ivm.Module> {
    let module = modules.get(address.href)
    if (!module) {
      module = compileAt(address)
      modules.set(address.href, module)
    }
    return module
  }

  async function compileAt(address: URL): Promise<ivm.Module> {
    const module = await isolate.compileModule(await readModule(address), { filename: address.href })
    addresses.set(module, address)
    return module
  }

  return async (root) => {
    const module = await compile(root)
    await module.instantiate(context, (specifier, referrer) =>
      compile(resolve(specifier, addresses.get(referrer) ?? root, root)),
    )
    await module.evaluate()
    return module
  }
}

function resolve(specifier: string, referrer: URL, root: URL): URL {
  const address = new URL(specifier, referrer)
  const inside = address.href.startsWith(sources.href)
  const folders = [...pureFolders.map((folder) => `${sources.href}${folder}`), posix.dirname(root.href)]
  const allowed = folders.some((folder) => address.href.startsWith(`${folder}/`))
  if (!/^\.\.?\//.test(specifier) || !inside || !allowed) {
    throw new Problem(
      'INTERNAL',
      `${root.pathname} cannot run beside scripts: it imports "${specifier}", which is not pure`,
    )
  }
  return address
}

const texts = new Map<string, Promise<string>>()

/** Read once a process: every isolate and every program loads the same ones. */
function readModule(address: URL): Promise<string> {
  let text = texts.get(address.href)
  if (!text) {
    text = readFile(address, 'utf8').then((code) => (extension === '.ts' ? withoutTypes(code) : code))
    texts.set(address.href, text)
  }
  return text
}

/** Node runs this very file in the same way without a warning; its function for it warns, and there is nothing to do about it. */
function withoutTypes(code: string): string {
  const { emitWarning } = process
  process.emitWarning = () => {}
  try {
    return stripTypeScriptTypes(code)
  } finally {
    process.emitWarning = emitWarning
  }
}
