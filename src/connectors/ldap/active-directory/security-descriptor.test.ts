import { describe, expect, it } from 'vitest'
import { type State, stateAfter } from '../virtual.ts'
import { descriptorAttribute, passwordCannotChange } from './security-descriptor.ts'

/** A descriptor with a list of rights alone: any number of them, as bytes. */
function descriptor(...rights: readonly Buffer[]): Buffer {
  const head = Buffer.from('0100048400000000000000000000000014000000', 'hex')
  const list = Buffer.from('0400000000000000', 'hex')
  list.writeUInt16LE(8 + Buffer.concat(rights).length, 2)
  list.writeUInt16LE(rights.length, 4)
  return Buffer.concat([head, list, ...rights])
}

/** A right that is about something else: all of it for the administrators; one that comes from above. */
const full = Buffer.from('00001800ff010f0001020000000000052000000020020000', 'hex')
const fromAbove = Buffer.from('00101400ff010f00010100000000000512000000', 'hex')

const stateWith = (value: Buffer) => new Map([[descriptorAttribute.toLowerCase(), value]])

describe('who may not change a password', () => {
  it('is denied to everybody before all other rights, and allowed again before those from above', () => {
    const before = stateWith(descriptor(full, fromAbove))
    const denied = stateAfter(before, passwordCannotChange.write?.(true, before) ?? {})
    expect(passwordCannotChange.read(denied)).toBe(true)
    const text = denied.get(descriptorAttribute.toLowerCase())?.toString('hex') ?? ''
    expect(text.indexOf('531a72ab')).toBeLessThan(text.indexOf(full.toString('hex')))
    const allowed = stateAfter(denied, passwordCannotChange.write?.(false, denied) ?? {})
    expect(passwordCannotChange.read(allowed)).toBe(false)
    const after = allowed.get(descriptorAttribute.toLowerCase())?.toString('hex') ?? ''
    expect(after.indexOf(full.toString('hex'))).toBeLessThan(after.indexOf('531a72ab'))
    expect(after.lastIndexOf('531a72ab')).toBeLessThan(after.indexOf(fromAbove.toString('hex')))
  })

  it('is the same however often it is written', () => {
    let state: State = stateWith(descriptor(full, fromAbove))
    const written: unknown[] = []
    for (let time = 0; time < 3; time++) {
      state = stateAfter(state, passwordCannotChange.write?.(true, state) ?? {})
      written.push(state.get(descriptorAttribute.toLowerCase())?.toString('hex'))
    }
    expect(new Set(written).size).toBe(1)
  })

  it('is not known, and cannot be written, where the server shows no rights', () => {
    expect(passwordCannotChange.read(new Map())).toBeUndefined()
    expect(() => passwordCannotChange.write?.(true, new Map())).toThrow(/shows no list of rights/)
  })
})
