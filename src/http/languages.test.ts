import { expect, it } from 'vitest'
import { preferredLanguages } from './languages.ts'

it.each([
  [undefined, []],
  ['', []],
  ['fr', ['fr']],
  ['en;q=0.5, fr-CA, *;q=0.1, de;q=0', ['fr-CA', 'en']],
  ['en, fr', ['en', 'fr']],
  ['en;q=x', []],
])('the languages of %j are %j', (header, languages) => {
  expect(preferredLanguages(header)).toEqual(languages)
})
