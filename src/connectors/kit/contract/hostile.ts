/** Texts that break naive string concatenation: SQL, LDAP filters and names, CSV, JSON, shells. */
export const hostileTexts: readonly string[] = [
  'a, "b"; c',
  "it's",
  'Ünïcödé 漢字 😀',
  'back\\slash\\',
  'a (b) * & | =',
  '"',
  "'; DROP TABLE people; --",
  '*)(uid=*',
  '%_%',
  '#hash + plus <less> {brace}',
  '$HOME $(id) `id`',
  'null',
  '__proto__',
  '0123',
  '1e5',
]
