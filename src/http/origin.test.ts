import { describe, expect, it } from 'vitest'
import { refuseForeignPage } from './origin.ts'

const origin = 'https://idm.example.com'
const json = { 'content-type': 'application/json' }

describe('a request is taken', () => {
  it.each([
    ['of a program', 'POST', json],
    ['without a body, of a program', 'POST', {}],
    ['of our own pages', 'POST', { ...json, origin, 'sec-fetch-site': 'same-origin' }],
    ['of our own pages, in other letters', 'POST', { ...json, origin: 'https://IDM.example.com' }],
    ['that a person types into the address bar', 'GET', { 'sec-fetch-site': 'none' }],
    ['that reads, with a type that means nothing', 'GET', { 'content-type': 'text/plain' }],
  ])('%s', (_what, method, headers) => {
    expect(() => refuseForeignPage({ method, headers, origin })).not.toThrow()
  })
})

describe('a request is refused', () => {
  it.each([
    ['of another site', 'POST', { ...json, 'sec-fetch-site': 'cross-site' }, 403],
    ['of another host of the same site', 'POST', { ...json, 'sec-fetch-site': 'same-site' }, 403],
    ['that reads, of another site', 'GET', { 'sec-fetch-site': 'cross-site' }, 403],
    ['of another origin, by an old browser', 'POST', { ...json, origin: 'https://evil.example' }, 403],
    ['of another port', 'POST', { ...json, origin: 'https://idm.example.com:8443' }, 403],
    ['of another scheme', 'POST', { ...json, origin: 'http://idm.example.com' }, 403],
    ['of a page without an origin, such as a file or a sandbox', 'POST', { ...json, origin: 'null' }, 403],
    ['of a form', 'POST', { 'content-type': 'application/x-www-form-urlencoded' }, 400],
    ['of a form with files', 'POST', { 'content-type': 'multipart/form-data; boundary=x' }, 400],
    [
      'of a form of plain text that looks like JSON',
      'POST',
      { 'content-type': 'Text/Plain;charset=utf-8' },
      400,
    ],
    [
      'of a form that names another method',
      'POST',
      { 'content-type': 'text/plain', 'x-http-method-override': 'PUT' },
      400,
    ],
  ])('%s', (_what, method, headers, status) => {
    expect(() => refuseForeignPage({ method, headers, origin })).toThrow(expect.objectContaining({ status }))
  })
})
