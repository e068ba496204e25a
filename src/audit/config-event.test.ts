import { describe, expect, it } from 'vitest'
import { mask, redact } from '../model/secrecy.ts'
import { configEvent } from './config-event.ts'

const request = { userId: 'openidm-admin', transactionId: 't' }

/** `audit/config` (platform §9). */
describe('a change of configuration', () => {
  it('is recorded with what was, what is, and where they differ', () => {
    const event = configEvent({
      ...{ operation: 'update', objectId: 'config/sync', revision: '2', ...request },
      before: { mappings: [], a: { b: 1 } },
      after: { mappings: [], a: { b: 2 }, c: true },
    })
    expect(event).toMatchObject({
      topic: 'config',
      content: {
        ...{ eventName: 'config', userId: 'openidm-admin', runAs: 'openidm-admin', transactionId: 't' },
        ...{ objectId: 'config/sync', operation: 'UPDATE', revision: '2', changedFields: ['/a/b', '/c'] },
        ...{ before: { a: { b: 1 } }, after: { a: { b: 2 }, c: true } },
        changes: { '/a/b': { before: 1, after: 2 }, '/c': { after: true } },
      },
    })
  })

  it.each([
    ['create', undefined, { enabled: true }, ['/enabled']],
    ['delete', { enabled: true }, undefined, ['/enabled']],
  ] as const)('that is a %s has one side only', (operation, before, after, changedFields) => {
    const { content } = configEvent({ operation, objectId: 'config/x', before, after, ...request })
    expect(content).toMatchObject({
      before: before ?? null,
      after: after ?? null,
      changedFields,
      revision: null,
    })
  })

  it('keeps secrets to itself: that one changed, and not from what to what', () => {
    const connector = (secret: string) => ({
      configurationProperties: {
        ...{ password: secret, clientSecret: secret, principal: 'cn=x', apiToken: secret },
        ...{
          key: { $crypto: { value: secret } },
          list: [{ password: secret }],
          passwordAttribute: 'userPassword',
        },
      },
    })
    const event = configEvent({
      ...{ operation: 'patch', objectId: 'config/provisioner.openicf/hr', ...request },
      ...{
        before: connector('s3cret-1'),
        after: connector('s3cret-2'),
        isSecret: (name) => name === 'apiToken',
      },
    })
    const text = JSON.stringify(event)
    expect(text).not.toMatch(/s3cret/)
    expect(event.content.changedFields).toEqual(
      ['apiToken', 'clientSecret', 'key', 'list', 'password'].map(
        (name) => `/configurationProperties/${name}`,
      ),
    )
    expect(event.content.changes).toMatchObject({
      '/configurationProperties/key': { before: mask, after: mask },
    })
    expect(event.content.after).toMatchObject({
      configurationProperties: {
        ...{ password: mask, key: mask, apiToken: mask, list: [{ password: mask }] },
        ...{ principal: 'cn=x', passwordAttribute: 'userPassword' },
      },
    })
    // What is masked stays visible as masked on its way into the store.
    expect(redact(event.content, { declares: true })).toEqual(event.content)
  })

  it('keeps the declaration of a property that is called password', () => {
    const after = { objects: [{ schema: { properties: { password: { type: 'string', minLength: 8 } } } }] }
    const { content } = configEvent({
      ...{ operation: 'create', objectId: 'config/managed', before: undefined, after, ...request },
    })
    expect(redact(content, { declares: true }).after).toEqual(after)
  })
})
