import type { Json } from '../model/json.ts'

/** Small values of the server itself, e.g. the hashed administrator password. */
export interface Settings {
  read(key: string): Promise<Json | undefined>
  write(key: string, value: Json): Promise<void>
}
