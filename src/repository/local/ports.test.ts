import { eventsContract } from '../contract/events.ts'
import { runSetsContract } from '../contract/run-sets.ts'
import { LocalEvents } from './events.ts'
import { localRunSets } from './run-sets.ts'

eventsContract({
  name: 'of one process',
  open: (said) => new LocalEvents((level, message) => void said.push(`${level} ${message}`)),
})
runSetsContract({ name: 'in memory', open: async () => localRunSets() })
