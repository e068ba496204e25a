/** Decimal numbers as text: nothing is rounded but what a column rounds. */

/** A number without an exponent. */
export function plainDecimal(number: number): string {
  const [mantissa = '', exponent] = String(number).split('e')
  if (exponent === undefined) return mantissa
  const sign = mantissa.startsWith('-') ? '-' : ''
  const [whole = '', fraction = ''] = mantissa.replace('-', '').split('.')
  const digits = whole + fraction
  const point = whole.length + Number(exponent)
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`
  return `${sign}${digits.slice(0, point).padEnd(point, '0')}.${digits.slice(point)}`.replace(/\.$/, '')
}

/** Without superfluous zeros: `+012.500` is `12.5`. Other texts stay as they are, e.g. `NaN`. */
export function canonicalDecimal(text: string): string {
  const match = /^([+-]?)0*(\d*)(?:\.(\d*?)0*)?$/.exec(text)
  if (!match || !/\d/.test(text)) return text
  const [, sign, whole = '', fraction = ''] = match
  const size = `${whole === '' ? '0' : whole}${fraction === '' ? '' : `.${fraction}`}`
  return sign === '-' && size !== '0' ? `-${size}` : size
}

/** A number if it says exactly what the text says, else the text. */
export function numberOf(canonical: string): number | string {
  const number = Number(canonical)
  if (!Number.isFinite(number) || (Number.isInteger(number) && !Number.isSafeInteger(number)))
    return canonical
  return plainDecimal(number) === canonical ? number : canonical
}

/** Rounded to so many digits after the point, halves away from zero, as databases do it. */
export function roundedDecimal(text: string, scale: number): string {
  const isNegative = text.startsWith('-')
  const [whole = '', fraction = ''] = text.replace(/^[+-]/, '').split('.')
  const places = Math.max(scale, 0)
  let digits = BigInt(whole + fraction.slice(0, places).padEnd(places, '0') || '0')
  if ((fraction[places] ?? '0') >= '5') digits += 1n
  const all = digits.toString().padStart(places + 1, '0')
  const point = all.length - places
  return `${isNegative ? '-' : ''}${all.slice(0, point)}${places > 0 ? `.${all.slice(point)}` : ''}`
}

/** What a float column gives back: single precision, or six digits only. */
export function shortestFloat(number: number, digits: 'single' | 6 | undefined): number {
  if (digits === undefined) return number
  const single = Math.fround(number)
  if (digits === 6) return Number(single.toPrecision(6))
  for (let precision = 1; precision < 9; precision++) {
    const short = Number(single.toPrecision(precision))
    if (Math.fround(short) === single) return short
  }
  return Number(single.toPrecision(9))
}
