import type { JsonObject } from '../model/json.ts'

/** How the events of one topic are written to a file. */
export interface FileFormat {
  /** `<folder>/<name>` */
  fileName(topic: string): string
  /** The file's first line, without its end; undefined: files begin with an event. */
  header?(topic: string): string
  readonly newline: string
  /** The line of one event, without its end, and its hash, which the next line needs. */
  line(topic: string, content: JsonObject, before: string): { readonly text: string; readonly after: string }
}

export const jsonLines: FileFormat = {
  fileName: (topic) => `${topic}.audit.json`,
  newline: '\n',
  line: (_topic, content) => ({ text: JSON.stringify(content), after: '' }),
}
