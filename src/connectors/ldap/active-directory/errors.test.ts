import { describe, expect, it } from 'vitest'
import { loginRefusal, windowsError } from './errors.ts'

describe('an error of Active Directory', () => {
  it.each([
    [
      '0000052D: SvcErr: DSID-031A12D2, problem 5003 (WILL_NOT_PERFORM), data 0',
      'invalidValue',
      'unicodePwd',
    ],
    [
      '00000524: UpdErr: DSID-031A11E2, problem 6005 (ENTRY_EXISTS), data 0',
      'alreadyExists',
      'sAMAccountName',
    ],
    ['000021C8: AtrErr: DSID-03200BBA, #1: 0: 000021C8: DSID-03200BBA', 'alreadyExists', 'userPrincipalName'],
    ['00000056: AtrErr: DSID-03191083, #1: 0: 00000056', 'invalidValue', '__CURRENT_PASSWORD__'],
    ['0000001F: SvcErr: DSID-031A120C, problem 5003 (WILL_NOT_PERFORM)', 'misconfigured', undefined],
    ['00002098: SecErr: DSID-03150BC1, problem 4003 (INSUFF_ACCESS_RIGHTS)', 'permission', undefined],
    ["00002071: samldb: samAccountName 'A' already in use!", 'alreadyExists', 'sAMAccountName'],
    ["0000202F: samldb: userPrincipalName 'A@b' is already in use", 'alreadyExists', 'userPrincipalName'],
  ])('%s', (text, kind, attribute) => {
    expect(windowsError(text)).toMatchObject({ kind })
    expect(windowsError(text)?.attribute).toBe(attribute)
  })

  it.each([
    'Entry CN=a already exists',
    '00002071: UpdErr: DSID-03050374, problem 6005 (ENTRY_EXISTS), data 0',
    'no 0000052D: at the beginning',
  ])('says no more than LDAP does: %s', (text) => {
    expect(windowsError(text)).toBeUndefined()
  })
})

describe('a login that Active Directory refuses', () => {
  const text = (data: string) =>
    `80090308: LdapErr: DSID-0C09042A, comment: AcceptSecurityContext error, data ${data}, v3839`

  it.each([
    ['532', 'passwordExpired'],
    ['773', 'passwordExpired'],
    ['533', 'permission'],
    ['701', 'permission'],
    ['775', 'permission'],
    ['530', 'permission'],
    ['531', 'permission'],
  ])('with %s is told apart', (data, kind) => {
    expect(loginRefusal(text(data))).toMatchObject({ kind })
  })

  it.each(['52e', '525', '0'])('with %s is one of a wrong name or password', (data) => {
    expect(loginRefusal(text(data))).toBeUndefined()
  })

  it('has seven sentences, each its own', () => {
    const facts = ['530', '531', '532', '533', '701', '773', '775'].map(
      (data) => loginRefusal(text(data))?.fact,
    )
    expect(new Set(facts).size).toBe(7)
  })
})
