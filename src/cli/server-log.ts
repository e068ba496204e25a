import pino from 'pino'
import type { JsonObject } from '../model/json.ts'
import { redact } from '../model/secrecy.ts'

/** Bytes that wait for whoever reads the log; what comes on top is left out, and counted. */
const mostWaiting = 16 << 20

/** The log of a server, on standard error. The members of an error are redacted in the same way as in the audit. */
export function serverLog(destination: pino.DestinationStream = standardError()): pino.Logger {
  return pino({ base: null, serializers: { err: redactedError } }, destination)
}

/** How long the end of a server waits for whoever reads its log, in ms. */
const patience = 5_000

/** Resolves when all that was logged is written, or nobody reads it. */
export async function written(log: pino.Logger): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, patience)
  log.flush(() => resolve())
  await promise
  clearTimeout(timer)
}

/** Written beside the work of the server: a reader that is slow, or has stopped, must not hold it up. */
function standardError(): pino.DestinationStream {
  const destination = pino.destination({ fd: 2, sync: false, minLength: 1, maxLength: mostWaiting })
  let leftOut = 0
  destination.on('drop', () => leftOut++)
  destination.on('drain', () => {
    if (leftOut === 0) return
    const msg = `${leftOut} messages were left out, because nobody read the log`
    leftOut = 0
    destination.write(`${JSON.stringify({ level: 40, time: Date.now(), msg })}\n`)
  })
  process.once('exit', () => {
    try {
      destination.flushSync()
    } catch {
      // Nobody is there to read it.
    }
  })
  return destination
}

function redactedError(error: Error): JsonObject {
  // The serializer's result still refers to the error itself. Converting it to text and back keeps only what is printed.
  const printed: JsonObject = JSON.parse(JSON.stringify(pino.stdSerializers.err(error)))
  return redact(printed)
}
