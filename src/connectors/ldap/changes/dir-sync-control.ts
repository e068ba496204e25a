import { type BerReader, BerWriter, Control } from 'ldapts'

export const dirSyncControl = '1.2.840.113556.1.4.841'

/** As many bytes as the server likes in one answer. */
const mostBytes = 0x7fffffff

/** Asks a search for what has changed since a cookie (MS-ADTS 3.1.1.3.4.1.3); the answer brings the next cookie. */
export class DirSync extends Control {
  readonly #before: Buffer
  /** Where the next search begins; absent: the server did not answer the control. */
  cookie: Buffer | undefined
  /** True: there is more right now. */
  hasMore = false

  constructor(before: Buffer) {
    super(dirSyncControl, { critical: true })
    this.#before = before
  }

  override writeControl(writer: BerWriter): void {
    const value = new BerWriter()
    value.startSequence()
    // No flags: values as a whole, and all objects, for which the right to replicate is needed.
    value.writeInt(0)
    value.writeInt(mostBytes)
    value.writeBuffer(this.#before, 0x04)
    value.endSequence()
    writer.writeBuffer(value.buffer, 0x04)
  }

  override parseControl(reader: BerReader): void {
    reader.readSequence()
    this.hasMore = (reader.readInt() ?? 0) !== 0
    reader.readInt()
    this.cookie = reader.readString(0x04, true) ?? undefined
  }
}
