/** `openidm-authorized` and its like are names of roles and users. */
const reaching = /\b(openidm(?!-\w)|require|globalThis|eval|Function)\b/
/** Computes, and does nothing else. What its arguments mention counts. */
const harmless =
  /\brequire\(\s*(['"])lib\/lodash\1\s*\)|\bopenidm\.(decrypt|encrypt|isEncrypted|hash|isHashed|matches)\s*(?=\()/g

/**
 * May a script look at, or change, more than its variables? Then what it does to one object can matter to the next. Conservative
 * on purpose: a mention is enough, in a comment too.
 */
export function reachesOut(source: string): boolean {
  return reaching.test(source.replaceAll(harmless, ''))
}
