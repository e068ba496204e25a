// Telephone number in E.164 (+442079460123) from whatever HR has typed; null if there is none.
// The site decides the country of numbers without one. Extensions are dropped.
;(() => {
  const countryCodes = { London: '44', Paris: '33', Berlin: '49', 'New York': '1' }

  function international(text, country) {
    const digits = text.replace(/\D/g, '')
    if (text.startsWith('+')) return digits
    if (digits.startsWith('00')) return digits.slice(2)
    if (country === '1') return digits.length === 11 ? digits : country + digits
    return country + digits.replace(/^0/, '')
  }

  if (!source.phone) return null
  const number = source.phone
    .replace(/\s*(ext\.?|x)\s*\d+$/i, '')
    .replace('(0)', '')
    .trim()
  return `+${international(number, countryCodes[source.site])}`
})()
