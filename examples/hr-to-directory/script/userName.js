// User name of a new user: first given name, last name and employee number in plain letters,
// e.g. siobhan.osuilleabhain1042. The number makes it unique; two people may share a name.
;(() => {
  // Letters that do not decompose into a base letter and an accent.
  const plain = { ß: 'ss', æ: 'ae', œ: 'oe', ø: 'o', ł: 'l', đ: 'd', ı: 'i' }

  const letters = (text) =>
    text
      .toLowerCase()
      .replace(/[ßæœøłđı]/g, (letter) => plain[letter])
      .normalize('NFD')
      .replace(/[^a-z]/g, '')

  const [firstGivenName] = source.givenName.split(' ')
  return `${letters(firstGivenName)}.${letters(source.familyName)}${source.employeeNumber}`
})()
