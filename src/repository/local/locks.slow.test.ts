import { locksOverTimeContract } from '../contract/locks.ts'
import { openLocks } from './testing/locks.ts'

locksOverTimeContract({ name: 'of the embedded store', open: openLocks })
