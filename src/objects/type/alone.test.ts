import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../model/json.ts'
import { compileType, isAlone, plainParts } from './compile.ts'
import { noScripts } from './scripts.ts'
import { withShippedScripts } from './shipped-scripts.ts'
import type { ManagedType } from './type.ts'

/** Is a user with this content a page of its own, where the script calls what is shipped for identity providers? */
function goesAlone(
  content: JsonObject,
  { more = '', idpData = {} }: { more?: string; idpData?: object } = {},
) {
  const source = `require('ui/onCreateUser').setDefaultFields(object);
    require('ui/onCreateUser').createIdpRelationships(object);
    require('ui/onCreateUser').emailUser(object);${more}`
  const schema = { properties: { mail: { type: 'string' }, idpData: { type: 'object', ...idpData } } }
  const onCreate = { type: 'text/javascript', source }
  const type = withShippedScripts({ name: 'user', onCreate, schema } as ManagedType, () => false)
  const { source: left } = type.onCreate as { source: string }
  const scripts = {
    ...noScripts,
    has: (name: string) => name === 'onCreate',
    sourceOf: () => left,
  }
  const compiled = compileType(type, true, { ...plainParts, scripts })
  return isAlone(compiled, { operation: 'create', content })
}

const providers = { google: { subject: 's' } }

describe('a new user whose script makes objects for identity providers', () => {
  it('is made together with others if there are none', () => {
    expect(goesAlone({ mail: 'a@x' })).toBe(false)
    expect(goesAlone({ mail: 'a@x', idpData: null })).toBe(false)
    expect(goesAlone({ mail: 'a@x' }, { more: "object.mail = object.mail || 'none'" })).toBe(false)
  })

  it('is made alone if there are some, or may be', () => {
    expect(goesAlone({ mail: 'a@x', idpData: providers })).toBe(true)
    expect(goesAlone({ mail: 'a@x' }, { more: 'object.idpData = {}' })).toBe(true)
    expect(goesAlone({ mail: 'a@x' }, { idpData: { default: providers } })).toBe(true)
  })

  it('is made alone if the script does more that reaches out', () => {
    expect(goesAlone({ mail: 'a@x' }, { more: "openidm.read('managed/user/x')" })).toBe(true)
  })
})
