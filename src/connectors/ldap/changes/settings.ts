import type { Filter } from 'ldapts'
import { type Base, basesIn, outermost } from '../bases.ts'
import { type Given, invalid } from '../given.ts'
import { type StrategyName, strategyNames } from './names.ts'

/** What liveSync looks at, and how. Empty lists: no restriction. */
export interface ChangeSettings {
  readonly strategy: StrategyName | 'auto' | 'none'
  readonly bases: readonly Base[]
  /** Of accounts. */
  readonly objectClasses: readonly string[]
  readonly attributes: readonly string[]
  readonly accountFilter: Filter | undefined
  readonly groupFilter: Filter | undefined
  /** Names of accounts whose writes liveSync does not report. */
  readonly ignoredAuthors: readonly string[]
  readonly log: ChangeLogSettings
}

/** How the entries of a change log are asked for. */
export interface ChangeLogSettings {
  readonly numberAttribute: string
  readonly blockSize: number
  /** Each number of a block by itself instead of the first and the last. */
  readonly asksForEach: boolean
  readonly asksForClass: boolean
  /** Where a token lies beyond the end of the log: `never` compares everything, `first` and `last` go on from that end of the log. */
  readonly beyond: 'never' | 'first' | 'last'
}

/** Reads them (platform §5.2). */
export function changeSettings(given: Given): ChangeSettings {
  return {
    strategy: strategy(given),
    bases: outermost(basesIn(given, 'baseContextsToSynchronize')),
    objectClasses: given.texts('objectClassesToSynchronize'),
    attributes: given.texts('attributesToSynchronize'),
    accountFilter: given.filter('accountSynchronizationFilter'),
    groupFilter: given.filter('groupSynchronizationFilter'),
    ignoredAuthors: given.texts('modifiersNamesToFilterOut'),
    log: {
      numberAttribute: given.text('changeNumberAttribute'),
      blockSize: given.number('changeLogBlockSize', 100),
      asksForEach: given.boolean('filterWithOrInsteadOfAnd'),
      asksForClass: !given.boolean('removeLogEntryObjectClassFromFilter'),
      beyond: given.choice('resetSyncToken', ['never', 'first', 'last']),
    },
  }
}

/** Names that others have given to the same ways. */
const otherNames: Readonly<Record<string, StrategyName>> = {
  openldapaccesslog: 'accessLog',
  sunchangelog: 'changeLog',
  sundschangelogsyncstrategy: 'changeLog',
  addirsync: 'dirSync',
  modifytimestamp: 'timestamps',
  modifytimestampssyncstrategy: 'timestamps',
}

function strategy(given: Given): ChangeSettings['strategy'] {
  if (given.boolean('useTimestampsForSync')) return 'timestamps'
  const name = given.value('syncStrategy') === undefined ? 'synchronizationStrategy' : 'syncStrategy'
  // Some give the name of a class.
  const text = (given.optional(name) ?? 'auto').split('.').at(-1)?.toLowerCase() ?? ''
  const names = [...strategyNames, 'auto', 'none'] as const
  const chosen = otherNames[text] ?? names.find((one) => one.toLowerCase() === text)
  if (chosen !== undefined) return chosen
  throw invalid(name, `is ${JSON.stringify(given.value(name))}; allowed are ${names.join(', ')}`)
}
