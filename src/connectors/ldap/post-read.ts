import { type BerReader, BerWriter, Control, type Entry, SearchEntry } from 'ldapts'

export const postReadControl = '1.3.6.1.1.13.2'

/** Asks a write for the entry as it is afterwards (RFC 4527): the id of a new entry comes with the answer, without a second question. */
export class PostRead extends Control {
  readonly #attributes: readonly string[]
  readonly #binary: readonly string[]
  /** Absent: the server did not show it. */
  entry: Entry | undefined

  constructor(attributes: readonly string[], binary: readonly string[]) {
    super(postReadControl)
    this.#attributes = attributes
    this.#binary = binary
  }

  override writeControl(writer: BerWriter): void {
    const names = new BerWriter()
    names.startSequence()
    for (const name of this.#attributes) names.writeString(name)
    names.endSequence()
    writer.writeBuffer(names.buffer, 0x04)
  }

  override parseControl(reader: BerReader): void {
    reader.readSequence(0x64)
    const found = new SearchEntry({ messageId: 0 })
    found.parseMessage(reader)
    this.entry = found.toObject([], [...this.#binary])
  }
}
