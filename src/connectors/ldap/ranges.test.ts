import type { Entry } from 'ldapts'
import { expect, it } from 'vitest'
import { moreValues } from './read.ts'

/** A server that gives at most two values at a time, as Active Directory gives 1,500. */
const members = ['a', 'b', 'c', 'd', 'e']
const server = {
  server: 'dc1:389',
  async entry(
    dn: string,
    { attributes: [asked = ''] }: { readonly attributes: readonly string[] },
  ): Promise<Entry> {
    const start = Number(/range=(\d+)-\*$/.exec(asked)?.[1])
    const part = members.slice(start, start + 2)
    const end = start + part.length >= members.length ? '*' : start + part.length - 1
    // ldapts adds what was asked for and did not come under its name.
    return { dn, [`member;range=${start}-${end}`]: part, ...(end !== '*' && { [asked]: [] }) }
  },
}

it('reads a list that the server gives in ranges to its end', async () => {
  const from = { name: 'cn=g', description: 'member;range=0-1', binary: [] }
  expect(await moreValues(server, from)).toEqual(['c', 'd', 'e'])
})

it('fails where the server does not give the rest: a group is never taken for a smaller one', async () => {
  const silent = { server: 'dc1:389', entry: async (dn: string) => ({ dn, 'member;range=2-*': [] }) }
  const from = { name: 'cn=g', description: 'member;range=0-1', binary: [] }
  await expect(moreValues(silent, from)).rejects.toThrow('gave member of "cn=g" only up to value 1')
})
