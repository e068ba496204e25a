import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../model/json.ts'
import { everyEvent, keeps, type TopicFilter, wants } from './filter.ts'

const filter = (more: Partial<TopicFilter>): TopicFilter => ({ ...everyEvent, ...more })
const kept = (topic: string, more: Partial<TopicFilter>, content: JsonObject) =>
  keeps(topic, filter(more), content)

/** `eventTopics.<topic>.filter` (platform §9). */
describe('a topic filter', () => {
  it('keeps everything without settings, but reads and queries of objects', () => {
    expect(kept('recon', {}, { action: 'UNLINK' })).toBe(true)
    expect(kept('access', {}, { request: { operation: 'READ' } })).toBe(true)
    expect(kept('activity', {}, { operation: 'CREATE' })).toBe(true)
    expect(kept('activity', {}, { operation: 'READ' })).toBe(false)
    expect(wants('activity', everyEvent, 'QUERY')).toBe(false)
    expect(wants('activity', filter({ actions: new Set(['query']) }), 'QUERY')).toBe(true)
  })

  it.each([
    ['recon', { action: 'CREATE' }, true],
    ['recon', { action: 'UNLINK' }, false],
    ['sync', { action: 'CREATE' }, true],
    ['activity', { operation: 'CREATE' }, true],
    ['activity', { operation: 'CREATE_OR_UPDATE' }, false],
    ['config', { operation: 'DELETE' }, false],
    ['access', { request: { operation: 'CREATE' } }, true],
    ['access', { request: { operation: 'READ' } }, false],
    ['authentication', { result: 'FAILED' }, true],
  ])('by actions looks at what %s calls so: %j', (topic, content, expected) => {
    expect(kept(topic, { actions: new Set(['create']) }, content as JsonObject)).toBe(expected)
  })

  it('by fields wants one of the values, of each field', () => {
    const fields = [
      { pointer: ['mapping'], values: ['a', 'b'] },
      { pointer: ['response', 'statusCode'], values: ['404'] },
    ]
    expect(kept('sync', { fields }, { mapping: 'b', response: { statusCode: 404 } })).toBe(true)
    expect(kept('sync', { fields }, { mapping: 'c', response: { statusCode: 404 } })).toBe(false)
    expect(kept('sync', { fields }, { mapping: 'a' })).toBe(false)
  })

  it('by trigger concerns only what the trigger causes', () => {
    const triggers = new Map([['recon', new Set(['delete'])]])
    expect(kept('recon', { triggers }, { action: 'CREATE' })).toBe(false)
    expect(kept('recon', { triggers }, { action: 'DELETE' })).toBe(true)
    expect(kept('sync', { triggers }, { action: 'CREATE' })).toBe(true)
  })

  it('never leaves out what a run history is made of', () => {
    const nothing = { actions: new Set<string>(), fields: [{ pointer: ['status'], values: ['never'] }] }
    expect(kept('recon', nothing, { entryType: 'start' })).toBe(true)
    expect(kept('recon', nothing, { entryType: 'summary' })).toBe(true)
    expect(kept('recon', nothing, { entryType: 'entry', action: 'CREATE' })).toBe(false)
    expect(kept('activity', nothing, { objectId: 'recon/1', operation: 'DELETE' })).toBe(true)
    expect(kept('activity', nothing, { objectId: 'managed/user/1', operation: 'DELETE' })).toBe(false)
  })
})
