import { describe, it } from 'vitest'
import { connectorContract } from '../kit/contract/contract.ts'
import { Secret } from '../kit/values.ts'
import { document, temporaryXml, uid, usual } from './testing/temporary.ts'

for (const [name, elements] of [
  ['XML files with a __UID__', uid + usual],
  ['XML files whose names are ids', usual],
] as const)
  connectorContract(
    {
      name,
      objectClass: '__ACCOUNT__',
      async open() {
        const xml = await temporaryXml(document('<!-- nobody yet -->'), elements)
        const reopen = async () => xml.connect()
        return {
          connector: await reopen(),
          reopen,
          async damage(id) {
            const objects = (await xml.text()).split('<ri:__ACCOUNT__>')
            const damaged = objects.map((one) =>
              one.includes(`>${id}<`) ? one.replace('<ri:mail>', '<ri:mail><b/>') : one,
            )
            await xml.put(damaged.join('<ri:__ACCOUNT__>'))
          },
          close: () => xml[Symbol.asyncDispose](),
        }
      },
      account: (n) => ({
        __NAME__: `Name ${n}`,
        __PASSWORD__: new Secret(`secret ${n}`),
        mail: `u${n}@example.com`,
      }),
      attribute: 'mail',
      unique: '__NAME__',
      unknown: 'shoeSize',
      multivalued: 'tags',
      bytes: 'photo',
      rename: (n) => ({ __NAME__: `Name ${n}` }),
      credentials: (n) => ({ username: `Name ${n}`, password: `secret ${n}` }),
    },
    { describe, it },
  )
