import pino from 'pino'
import type { JsonObject } from '../model/json.ts'
import { redact } from '../model/secrecy.ts'

/** The log of a server, on standard error. What an error carries goes through the same redaction as the audit. */
export function serverLog(destination: pino.DestinationStream = pino.destination(2)): pino.Logger {
  return pino({ base: null, serializers: { err: redactedError } }, destination)
}

function redactedError(error: Error): JsonObject {
  // The serializer makes a plain object of it, which knows the error itself; text and back leaves only what is printed.
  const printed: JsonObject = JSON.parse(JSON.stringify(pino.stdSerializers.err(error)))
  return redact(printed)
}
