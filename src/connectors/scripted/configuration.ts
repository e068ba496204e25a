import { isJsonObject, type Json, type JsonObject, setMember } from '../../model/json.ts'

/**
 * `customConfiguration` and `customSensitiveConfiguration` (platform §5.4): JSON, or the notation of the Java connector, blocks and
 * assignments of constants:
 *
 *     kadmin { cmd = '/usr/sbin/kadmin'; realm = "EXAMPLE.COM"; retries = 3 }
 *     flags.strict = true
 *
 * Undefined if it is neither.
 */
export function customConfiguration(text: string): JsonObject | undefined {
  if (text.trim() === '') return {}
  return asJson(text) ?? asBlocks(text)
}

function asJson(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isJsonObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

const tokens =
  /\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\/|('(?:[^'\\]|\\[\s\S])*'|"(?:[^"\\]|\\[\s\S])*"|-?\d+(?:\.\d+)?|[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)*|[{}=;,[\]])/y

function asBlocks(text: string): JsonObject | undefined {
  const found = tokensOf(text)
  if (!found) return undefined
  const reader = new Reader(found)
  const result = reader.block()
  return reader.isAtEnd ? result : undefined
}

function tokensOf(text: string): readonly string[] | undefined {
  const found: string[] = []
  tokens.lastIndex = 0
  while (tokens.lastIndex < text.length) {
    const match = tokens.exec(text)
    if (!match) return undefined
    if (match[1] !== undefined) found.push(match[1])
  }
  return found
}

const deepest = 32

class Reader {
  readonly #tokens: readonly string[]
  #at = 0

  constructor(found: readonly string[]) {
    this.#tokens = found
  }

  get isAtEnd(): boolean {
    return this.#at === this.#tokens.length
  }

  /** Up to the end, or to a brace that closes it. */
  block(depth = 0): JsonObject | undefined {
    const result: JsonObject = {}
    for (;;) {
      while (this.#takes(';'));
      const name = this.#tokens[this.#at]
      if (name === undefined || name === '}') return result
      if (!/^[A-Za-z_$]/.test(name) || depth > deepest) return undefined
      this.#at++
      const value = this.#member(depth)
      if (value === undefined) return undefined
      assign(result, name.split('.'), value)
    }
  }

  #member(depth: number): Json | undefined {
    if (this.#takes('=')) return this.#value(depth)
    if (!this.#takes('{')) return undefined
    const block = this.block(depth + 1)
    return block && this.#takes('}') ? block : undefined
  }

  #value(depth: number): Json | undefined {
    if (this.#takes('[')) return this.#list(depth + 1)
    const token = this.#tokens[this.#at++] ?? ''
    if (/^['"]/.test(token)) return unquoted(token)
    if (/^-?\d/.test(token)) return Number(token)
    return { true: true, false: false, null: null }[token]
  }

  #list(depth: number): Json | undefined {
    const values: Json[] = []
    while (!this.#takes(']')) {
      const value = depth > deepest ? undefined : this.#value(depth)
      if (value === undefined) return undefined
      values.push(value)
      if (!this.#takes(',') && this.#tokens[this.#at] !== ']') return undefined
    }
    return values
  }

  #takes(token: string): boolean {
    if (this.#tokens[this.#at] !== token) return false
    this.#at++
    return true
  }
}

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' }

function unquoted(token: string): string {
  return token.slice(1, -1).replace(/\\([\s\S])/g, (_, character: string) => escapes[character] ?? character)
}

/** A block that is there already is completed. */
function assign(target: JsonObject, [name = '', ...rest]: readonly string[], value: Json): void {
  const there = Object.hasOwn(target, name) ? target[name] : undefined
  if (rest.length > 0) {
    const inner = isJsonObject(there) ? there : {}
    setMember(target, name, inner)
    assign(inner, rest, value)
  } else if (isJsonObject(there) && isJsonObject(value))
    for (const [key, one] of Object.entries(value)) assign(there, [key], one ?? null)
  else setMember(target, name, value)
}
