import type { Json, JsonObject } from './json.ts'
import type { Pointer } from './pointer.ts'

/** One operation of a patch (platform specification §1.4). `append` is a `field` that ended in `/-`. */
export type PatchOperation =
  | { readonly operation: 'add' | 'replace'; readonly field: Pointer; readonly value: Json; readonly append?: boolean }
  | { readonly operation: 'remove'; readonly field: Pointer; readonly value?: Json | undefined }
  | { readonly operation: 'increment'; readonly field: Pointer; readonly value: number }
  | { readonly operation: 'copy' | 'move'; readonly from: Pointer; readonly field: Pointer }

/** Parses the wire form; BAD_PATCH names the position in the array and what is wrong there. */
export function parsePatch(_body: unknown): readonly PatchOperation[] {
  throw new Error('to be written')
}

/** A new object with the operations applied in order; the given one is untouched. BAD_PATCH if one cannot be. */
export function applyPatch(_object: JsonObject, _operations: readonly PatchOperation[]): JsonObject {
  throw new Error('to be written')
}
