import pino from 'pino'
import type { JsonObject } from '../model/json.ts'
import { redact } from '../model/secrecy.ts'

/** The log of a server, on standard error. The members of an error are redacted in the same way as in the audit. */
export function serverLog(destination: pino.DestinationStream = pino.destination(2)): pino.Logger {
  return pino({ base: null, serializers: { err: redactedError } }, destination)
}

function redactedError(error: Error): JsonObject {
  // The serializer's result still refers to the error itself. Converting it to text and back keeps only what is printed.
  const printed: JsonObject = JSON.parse(JSON.stringify(pino.stdSerializers.err(error)))
  return redact(printed)
}
