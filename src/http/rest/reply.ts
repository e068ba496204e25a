import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { isJsonObject } from '../../model/json.ts'
import { asProblem, Problem } from '../../model/problem.ts'
import { type Answer, jsonAnswer } from './answer.ts'
import { contentApiVersion } from './api-version.ts'
import { errorBody, isInternal } from './errors.ts'
import { searchOf } from './raw-request.ts'

/** Sends an answer. */
export function send(reply: FastifyReply, { status, headers, body }: Answer): FastifyReply {
  return reply
    .code(status)
    .headers({ 'cache-control': 'no-cache', 'content-api-version': contentApiVersion, ...headers })
    .send(body)
}

/** Sends an error as an answer. If it is not the caller's fault, it is logged with its transaction id. */
export function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = fromFastify(error)
  log(problem, request)
  const answer = errorBody(problem, request.id)
  request.failure = String(answer.message)
  const { status, headers, body } = jsonAnswer(problem.status, answer, {
    prettyPrint: wantsPrettyPrint(request),
  })
  return send(reply, { status, headers: { ...headers, ...remedy(problem) }, body })
}

function log(problem: Problem, request: FastifyRequest): void {
  const facts = { err: problem, transactionId: request.id, method: request.method }
  if (isInternal(problem)) request.log.error(facts, 'The request failed')
  else if (problem.status >= 500 && problem.status !== 501) request.log.warn(facts, 'The request failed')
}

/** Headers that say what the client has to do: send credentials, or wait. */
function remedy({ status, detail }: Problem): Record<string, string> {
  if (status === 401) return { 'www-authenticate': 'Basic realm="Syncline", charset="UTF-8"' }
  return status === 429 && isJsonObject(detail) ? { 'retry-after': String(detail.retryAfter) } : {}
}

/** The error may be in the parameters, so they are not parsed here. */
function wantsPrettyPrint(request: FastifyRequest): boolean {
  return /(?:^|&)_prettyPrint=true(?:&|$)/i.test(searchOf(request))
}

/** What its own errors have. */
type FastifyRefusal = Error & Partial<Pick<FastifyError, 'code' | 'statusCode'>>

/** Errors of Fastify before a request reaches us: a body that is too large, a malformed URL. */
function fromFastify(error: unknown): Problem {
  if (!(error instanceof Error) || error instanceof Problem) return asProblem(error)
  const { message, statusCode, code }: FastifyRefusal = error
  const isRefusal = code?.startsWith('FST_') && statusCode !== undefined && statusCode < 500
  return isRefusal ? new Problem('BAD_REQUEST', message, { status: statusCode }) : asProblem(error)
}
