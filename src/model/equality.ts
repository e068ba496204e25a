import type { Json } from './json.ts'

/** Deep equality: key order ignored, array order significant, absent and null differ. */
export function equal(_a: Json | undefined, _b: Json | undefined): boolean {
  throw new Error('to be written')
}

/** As `equal`, but a null member equals an absent one (engine specification §4.3, [D]). */
export function equalIgnoringNull(_a: Json | undefined, _b: Json | undefined): boolean {
  throw new Error('to be written')
}

/** A deep copy: mapped values must never be shared between source and target (engine specification §12.11). */
export function copy<T extends Json | undefined>(_value: T): T {
  throw new Error('to be written')
}
