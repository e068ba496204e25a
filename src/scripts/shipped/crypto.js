// Encryption, hashes and passwords, as scripts of OpenIDM require them.

const isOpen = (value) => value !== undefined && value !== null && !openidm.isEncrypted(value)

exports.encrypt = (value, cipher, alias) =>
  isOpen(value) ? openidm.encrypt(value, cipher ?? null, alias ?? null) : value

exports.hash = (value, algorithm) =>
  typeof value === 'string' ? openidm.hash(value, algorithm || 'SHA-256') : value

const alphabets = {
  UPPERCASE: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ',
  LOWERCASE: 'abcdefghijklmnopqrstuvwxyz',
  INTEGERS: '0123456789',
  SPECIAL: ':;<=>?@',
}

/** So many numbers of 24 bits. `Math.random` can be guessed; the salt of a hash cannot. */
function drawn(count) {
  const numbers = []
  while (numbers.length < count) {
    const { data } = openidm.hash(`${numbers.length}`, 'SHA-256').$crypto.value
    const digits = [...data].map((character) => base64.indexOf(character)).filter((digit) => digit >= 0)
    if (digits.length < 4) throw new Error('the hash has no salt to draw numbers from')
    for (let at = 0; at + 3 < digits.length; at += 4)
      numbers.push(digits.slice(at, at + 4).reduce((number, digit) => number * 64 + digit))
  }
  return numbers
}

const base64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** A password with at least so many characters of each kind that is named. */
exports.generateRandomString = (requirements, length) => {
  const kinds = requirements.map(({ rule }) => alphabets[rule])
  const needed = requirements.flatMap(({ rule, minimum }) => Array(minimum).fill(alphabets[rule]))
  const free = Math.max(0, length - needed.length)
  const draws = [...needed, ...Array(free).fill([...new Set(kinds)].join(''))]
  const numbers = drawn(2 * draws.length)
  const characters = draws.map((alphabet, at) => alphabet[numbers[at] % alphabet.length])
  // Where the needed ones stand is drawn, too.
  for (let at = characters.length - 1; at > 0; at--) {
    const other = numbers[draws.length + at] % (at + 1)
    ;[characters[at], characters[other]] = [characters[other], characters[at]]
  }
  return characters.join('')
}
