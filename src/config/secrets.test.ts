import { createHash } from 'node:crypto'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Json, JsonObject } from '../model/json.ts'
import { type TemporaryFolder, temporaryFolder } from '../testing/folder.ts'
import { runs } from '../testing/runs.ts'
import { fileSecrets } from './secrets.ts'

let temporary: TemporaryFolder
let folder: string
beforeEach(() => {
  temporary = temporaryFolder()
  folder = temporary.path
})
afterEach(() => temporary[Symbol.dispose]())

const secrets = (env: Record<string, string> = {}) =>
  fileSecrets({ keyFile: join(folder, 'data', 'key'), env })
const alias = 'openidm-sym-default'
const content = (sealed: JsonObject) => (sealed.$crypto as JsonObject).value as JsonObject

describe('encryption', () => {
  it('gives back every JSON value, also one made by another process with the same key file', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (value) => {
        const sealed = await secrets().encrypt(value as Json, null, alias)
        expect(await secrets().decrypt(sealed)).toEqual(JSON.parse(JSON.stringify(value)))
      }),
      runs(50),
    )
  })

  it('has the shape of OpenIDM and says AES-GCM', async () => {
    const sealed = await secrets().encrypt('Passw0rd', 'AES/CBC/PKCS5Padding', alias)
    expect(sealed).toEqual({
      $crypto: {
        type: 'x-simple-encryption',
        value: {
          cipher: 'AES/GCM/NoPadding',
          key: alias,
          iv: expect.any(String),
          data: expect.any(String),
          tag: expect.any(String),
        },
      },
    })
    expect(JSON.stringify(sealed)).not.toContain('Passw0rd')
  })

  it('never gives the same text twice', async () => {
    const [one, two] = await Promise.all([
      secrets().encrypt('a', null, alias),
      secrets().encrypt('a', null, alias),
    ])
    expect(content(one).data).not.toBe(content(two).data)
  })

  it('keeps aliases apart', async () => {
    const sealed = await secrets().encrypt('a', null, alias)
    content(sealed).key = 'other'
    await expect(secrets().decrypt(sealed)).rejects.toMatchObject({ code: 'CONFIGURATION' })
  })

  it.each(['iv', 'data', 'tag'])('refuses an altered %s', async (part) => {
    const sealed = await secrets().encrypt('some text', null, alias)
    const bytes = Buffer.from(content(sealed)[part] as string, 'base64')
    bytes[0] = (bytes[0] as number) ^ 1
    content(sealed)[part] = bytes.toString('base64')
    await expect(secrets().decrypt(sealed)).rejects.toMatchObject({ code: 'CONFIGURATION' })
  })

  it('refuses a shortened tag', async () => {
    const sealed = await secrets().encrypt('some text', null, alias)
    content(sealed).tag = Buffer.from(content(sealed).tag as string, 'base64')
      .subarray(0, 4)
      .toString('base64')
    await expect(secrets().decrypt(sealed)).rejects.toMatchObject({ code: 'CONFIGURATION' })
  })

  it('decrypts a deep copy and leaves hashes and the original alone', async () => {
    const sealed = await secrets().encrypt({ a: 1 }, null, alias)
    const hashed = await secrets().hash('x', 'SHA-256')
    const object = { list: [sealed], hashed, plain: 'p' }
    expect(await secrets().decrypt(object)).toEqual({ list: [{ a: 1 }], hashed, plain: 'p' })
    expect(object.list[0]).toBe(sealed)
  })

  it('copies a key called __proto__ as a key', async () => {
    const copy = await secrets().decrypt(JSON.parse('{"__proto__":{"bad":1}}'))
    expect(JSON.stringify(copy)).toBe('{"__proto__":{"bad":1}}')
    expect(({} as Record<string, unknown>).bad).toBeUndefined()
  })

  it('says so where a value of OpenIDM needs a key that is not here', async () => {
    const old = {
      $crypto: {
        type: 'x-simple-encryption',
        value: { cipher: 'AES/CBC/PKCS5Padding', key: alias, iv: 'a', data: 'b' },
      },
    }
    await expect(secrets().decrypt({ password: old })).rejects.toMatchObject({
      code: 'CONFIGURATION',
      message: expect.stringMatching(/AES\/CBC\/PKCS5Padding.*openidm-sym-default/),
    })
  })
})

describe('the key', () => {
  it('is created with the first encryption, readable by its owner only', async () => {
    await secrets().encrypt('a', null, alias)
    const file = join(folder, 'data', 'key')
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect(Buffer.from(await readFile(file, 'utf8'), 'base64')).toHaveLength(32)
    expect(await readdir(join(folder, 'data'))).toEqual(['key'])
  })

  it('is one key even if many create it at once', async () => {
    const sealed = await Promise.all(Array.from({ length: 20 }, () => secrets().encrypt('a', null, alias)))
    expect(await secrets().decrypt(sealed)).toEqual(Array(20).fill('a'))
    expect(await readdir(join(folder, 'data'))).toEqual(['key'])
  })

  it('comes from the environment if it is there, and no file is written', async () => {
    const env = { SYNCLINE_KEY: Buffer.alloc(32, 7).toString('base64') }
    const sealed = await secrets(env).encrypt('a', null, alias)
    expect(await secrets(env).decrypt(sealed)).toBe('a')
    expect(await readdir(folder)).toEqual([])
  })

  it('is not created by decrypting, which says that it is missing', async () => {
    const sealed = await secrets({ SYNCLINE_KEY: Buffer.alloc(32, 7).toString('base64') }).encrypt(
      'a',
      null,
      alias,
    )
    await expect(secrets().decrypt(sealed)).rejects.toMatchObject({
      message: expect.stringContaining('no key'),
    })
    expect(await readdir(folder)).toEqual([])
  })

  it('is refused if it is not 32 bytes', async () => {
    await expect(secrets({ SYNCLINE_KEY: 'c2hvcnQ=' }).encrypt('a', null, alias)).rejects.toMatchObject({
      code: 'CONFIGURATION',
    })
    await secrets().encrypt('a', null, alias)
    await writeFile(join(folder, 'data', 'key'), 'garbage')
    await expect(secrets().encrypt('a', null, alias)).rejects.toMatchObject({ code: 'CONFIGURATION' })
  })
})

describe('hashing', () => {
  it.each([null, 'ARGON2ID', 'MD5', 'SHA-1', 'SHA-256', 'SHA-384', 'SHA-512'])(
    'with %s verifies the same text only',
    async (algorithm) => {
      const hashed = await secrets().hash('Passw0rd', algorithm)
      expect(secrets().isHashed(hashed)).toBe(true)
      expect(secrets().isEncrypted(hashed)).toBe(false)
      expect(await secrets().matches('Passw0rd', hashed)).toBe(true)
      expect(await secrets().matches('passw0rd', hashed)).toBe(false)
    },
  )

  it('is Argon2id unless another algorithm is asked for', async () => {
    const hashed = await secrets().hash('a', null)
    expect(content(hashed)).toMatchObject({
      algorithm: 'ARGON2ID',
      data: expect.stringMatching(/^\$argon2id\$/),
    })
  })

  it('verifies what OpenIDM stored: digest of text and salt, then the 16 bytes of salt', async () => {
    const salt = Buffer.alloc(16, 9)
    const digest = createHash('sha256').update('Passw0rd').update(salt).digest()
    const data = Buffer.concat([digest, salt]).toString('base64')
    const old = { $crypto: { type: 'salted-hash', value: { algorithm: 'SHA-256', data } } }
    expect(await secrets().matches('Passw0rd', old)).toBe(true)
    expect(await secrets().matches('other', old)).toBe(false)
  })

  it.each(['BCRYPT', 'toString', 'ROT13'])(
    'refuses algorithm %s and names those it knows',
    async (algorithm) => {
      await expect(secrets().hash('a', algorithm)).rejects.toMatchObject({
        message: expect.stringContaining('SHA-256'),
      })
    },
  )

  it('does not match a damaged hash, and refuses to compare with what is none', async () => {
    const damaged = { $crypto: { type: 'salted-hash', value: { algorithm: 'ARGON2ID', data: 'x' } } }
    expect(await secrets().matches('a', damaged)).toBe(false)
    await expect(secrets().matches('a', 'a')).rejects.toMatchObject({ code: 'INVALID_VALUE' })
  })
})

describe('a new key', () => {
  it('encrypts from now on, and those before it still open what they have encrypted', async () => {
    const own = secrets()
    const old = await own.encrypt({ pin: 1 }, null, alias)
    const elsewhere = secrets()
    await elsewhere.decrypt(old)
    await own.rotate()
    const fresh = await own.encrypt('new', null, alias)
    // A process that had read the file before finds the new key in it.
    expect(await elsewhere.decrypt([old, fresh])).toEqual([{ pin: 1 }, 'new'])
    const object = { a: [{ b: old }], c: fresh, d: 1 }
    const resealed = await own.resealed(object)
    expect(resealed.c).toBe(fresh)
    expect(await own.decrypt(resealed)).toEqual({ a: [{ b: { pin: 1 } }], c: 'new', d: 1 })
    expect(await own.resealed(resealed)).toBe(resealed)
    await own.forgetOld()
    expect(await own.decrypt(resealed)).toMatchObject({ c: 'new' })
    await expect(own.decrypt(old)).rejects.toMatchObject({ code: 'CONFIGURATION' })
    expect((await stat(join(folder, 'data', 'key'))).mode & 0o777).toBe(0o600)
  })

  it('in the environment comes with the one before', async () => {
    const [before, now] = [7, 8].map((byte) => Buffer.alloc(32, byte).toString('base64')) as [string, string]
    const old = await secrets({ SYNCLINE_KEY: before }).encrypt('a', null, alias)
    const both = secrets({ SYNCLINE_KEY: now, SYNCLINE_KEY_OLD: before })
    const resealed = await both.resealed(old)
    expect(resealed).not.toBe(old)
    expect(await secrets({ SYNCLINE_KEY: now }).decrypt(resealed)).toBe('a')
    await expect(both.rotate()).rejects.toMatchObject({ message: expect.stringContaining('environment') })
  })
})
