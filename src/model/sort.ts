import type { Pointer } from './pointer.ts'

export interface SortKey {
  readonly pointer: Pointer
  readonly descending: boolean
}
