import Type from 'typebox'
import { flag, list, object, ref, shape, whole, withoutEffect } from './author.ts'

/** The container of mappings, `sync.json` (engine §2.1, §8.5). */
export const syncSchema = Type.Object(
  {
    mappings: list(ref('mapping'), 'The mappings, in processing order.', {
      default: [],
    }),
    queueRecovery: object(
      {
        enabled: flag('Take over the queues of nodes that died.', true),
        recoveryInterval: whole('Seconds between two checks.', 300, { minimum: 1 }),
      },
      'Recovery of queued synchronization.',
      withoutEffect('there is no queue'),
    ),
    queueBalancing: object(
      {
        enabled: flag('Spread queues over the nodes.', true),
        balanceInterval: whole('Seconds between two checks.', 5, { minimum: 1 }),
      },
      'Balance of queued synchronization.',
      withoutEffect('there is no queue'),
    ),
    reconAssociation: shape(
      'reconAssociation',
      'How many stored reconciliation runs are kept. A mapping may override it.',
    ),
  },
  { title: 'Mappings', description: '`conf/sync.json`: mappings in processing order.' },
)
