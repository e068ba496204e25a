import { describe, expect, it } from 'vitest'
import { attributesOf } from './attributes.ts'
import { parseSubschema } from './subschema.ts'

const text = '1.3.6.1.4.1.1466.115.121.1.15'
const schema = parseSubschema(
  [
    `( 2.5.4.41 NAME 'name' DESC 'RFC4519: it\\27s (a) $name' EQUALITY caseIgnoreMatch SUBSTR caseIgnoreSubstringsMatch SYNTAX ${text}{32768} )`,
    "( 2.5.4.3 NAME ( 'cn' 'commonName' ) SUP name )",
    "( 1.2 NAME 'title' SUP name SINGLE-VALUE )",
    "( 1.3 NAME 'code' EQUALITY caseExactMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )",
    "( 1.4 NAME 'photo' SYNTAX 1.3.6.1.4.1.1466.115.121.1.28 )",
    "( 1.5 NAME 'memberOf' EQUALITY distinguishedNameMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.12 NO-USER-MODIFICATION USAGE dSAOperation )",
    "( 1.6 NAME 'secretWord' SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 )",
    "( 1.7 NAME 'badge' SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 )",
  ],
  [
    "( 2.5.6.0 NAME 'top' ABSTRACT MUST objectClass )",
    "( 2.6 NAME 'person' SUP top STRUCTURAL MUST ( cn ) MAY ( title $ secretWord ) )",
    "( 2.7 NAME 'employee' SUP person MAY ( code $ photo ) X-ORIGIN ( 'a' 'b' ) )",
    "( 2.8 NAME 'badgeHolder' AUXILIARY MUST badge )",
  ],
)
const { byName, binary } = attributesOf(schema, ['employee'], 'secretWord', [], {})

describe('the attributes of an object class', () => {
  it('are those of the classes that it extends, of auxiliary classes, and operational ones', () => {
    expect([...byName.keys()].toSorted()).toEqual(
      ['badge', 'cn', 'code', 'dn', 'memberof', 'photo', 'secretword', 'title'].toSorted(),
    )
  })

  it('compare as the matching rule says, their own or that of the type that they extend', () => {
    expect(byName.get('cn')).toMatchObject({ comparison: 'ignoreCase', substrings: true, syntax: text })
    expect(byName.get('code')).toMatchObject({ comparison: 'exact', substrings: false })
    expect(byName.get('photo')).toMatchObject({ comparison: 'unknown', type: 'bytes' })
  })

  it('are required where the class says so, and never because of an auxiliary one', () => {
    const required = [...byName.values()].filter((one) => one.required).map(({ name }) => name)
    expect(required.toSorted()).toEqual(['cn', 'dn'])
  })

  it('have one value or several', () => {
    expect([byName.get('title')?.multivalued, byName.get('cn')?.multivalued]).toEqual([false, true])
  })

  it('that the server keeps itself can be read where they are asked for, and not be written', () => {
    expect(byName.get('memberof')).toMatchObject({
      returnedByDefault: false,
      updateable: false,
      creatable: false,
    })
  })

  it('hold a password that is set and never read', () => {
    expect(byName.get('secretword')).toMatchObject({ secret: true, readable: false, type: 'string' })
    expect(binary).toEqual(['photo', 'photo;binary', 'badge', 'badge;binary'])
  })
})

describe('a schema with mistakes', () => {
  it('is read as far as it can be: a list that is never closed ends with its definition', () => {
    const { classes } = parseSubschema(
      [],
      ["( 3.1 NAME 'odd' STRUCTURAL MUST ( cn $ sn", "( 3.2 NAME 'even' STRUCTURAL )"],
    )
    expect([...classes.keys()]).toEqual(['odd', '3.1', 'even', '3.2'])
  })

  it('says what a class requires and nothing describes', () => {
    const { types } = schema
    const classes = parseSubschema([], ["( 3.1 NAME 'odd' STRUCTURAL MUST ( cn $ nowhere ) )"]).classes
    expect(attributesOf({ types, classes }, ['odd'], 'secretWord', [], {}).objectClass.findings).toEqual([
      'The server requires nowhere, and does not describe it',
    ])
  })
})
