/**
 * Which undeclared variables a call of a script may leave behind: names that are assigned stand in the text. Looking for these
 * costs far less than looking through all members of the global object.
 *
 * Undefined: the text can make names at run time, and any may be there. Never too few; that some are declared, or stand in a
 * comment, does no harm. Pure, and called before any script runs.
 */
export function assignedNames(source: string): readonly string[] | undefined {
  if (makesNames.test(source)) return undefined
  const found = new Set<string>()
  for (const [, assigned, looped] of source.matchAll(assignment)) {
    const name = assigned ?? looped
    // `[a, b] = …` assigns names that stand further ahead.
    if (name === undefined) return undefined
    found.add(name)
  }
  return [...found]
}

/** By code, through an object, in another file, by computed keys, or spelled with escapes and invisible joiners. */
const makesNames =
  /\b(?:eval|Function|constructor|this|globalThis|require|Object|Reflect|with)\b|\\u|[\u200c\u200d]|[\p{ID_Continue}$)\]}'"`.{,]\s*\[\s*[^\s\d\]^]/u

/** What stands before `=`, if it is a name; and the variable of a loop. */
const assignment =
  /(?:([\p{ID_Start}$_][\p{ID_Continue}$]*)|[^\s=!<>])\s*=(?![=>])|\bfor\b(?:\s*\(\s*(?:(?:var|let|const)\s+)?([\p{ID_Start}$_][\p{ID_Continue}$]*))?/gu
