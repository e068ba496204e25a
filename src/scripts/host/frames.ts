/**
 * Messages between the server and the script host: a header, which is small JSON, and a text that may be large and that
 * only its receiver parses. On the wire: length of header, length of text (4 bytes each, big endian), header, text, both UTF-8.
 */
export interface Frame<Header> {
  readonly header: Header
  readonly text: string
}

const lengths = 8

export function encodeFrame(header: object, text: string): Buffer {
  const head = JSON.stringify(header)
  const [headLength, textLength] = [Buffer.byteLength(head), Buffer.byteLength(text)]
  const frame = Buffer.allocUnsafe(lengths + headLength + textLength)
  frame.writeUInt32BE(headLength, 0)
  frame.writeUInt32BE(textLength, 4)
  frame.write(head, lengths)
  frame.write(text, lengths + headLength)
  return frame
}

/** Puts the chunks of a stream together again. */
export class FrameReader<Header> {
  #chunks: Buffer[] = []
  #size = 0
  /** How many bytes the next frame needs, as far as that is known. */
  #needed = lengths

  /** The frames that `chunk` completes. */
  push(chunk: Buffer): readonly Frame<Header>[] {
    this.#chunks.push(chunk)
    this.#size += chunk.length
    const frames: Frame<Header>[] = []
    // Joined when a frame may be complete: joining at each chunk would cost the square of its length.
    while (this.#size >= this.#needed) {
      const bytes = Buffer.concat(this.#chunks)
      const headEnd = lengths + bytes.readUInt32BE(0)
      const end = headEnd + bytes.readUInt32BE(4)
      const complete = bytes.length >= end
      if (complete)
        frames.push({
          header: JSON.parse(bytes.toString('utf8', lengths, headEnd)),
          text: bytes.toString('utf8', headEnd, end),
        })
      const rest = complete ? bytes.subarray(end) : bytes
      this.#chunks = [rest]
      this.#size = rest.length
      this.#needed = complete ? lengths : end
    }
    return frames
  }
}
