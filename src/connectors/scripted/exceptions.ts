import type { ErrorKind } from '../kit/errors.ts'

/**
 * What scripts throw to say what has happened, under the names that scripts for this connector know: `throw new
 * UnknownUidException('no such user')`. A plain `{ code, message }` with a status of HTTP means the same.
 */
export const exceptions = {
  AlreadyExistsException: 'alreadyExists',
  BadRequestException: 'invalidValue',
  ConfigurationException: 'misconfigured',
  ConnectionBrokenException: 'connection',
  ConnectionFailedException: 'connection',
  ConnectorException: 'failed',
  ConnectorSecurityException: 'permission',
  InvalidAttributeValueException: 'invalidValue',
  InvalidCredentialException: 'wrongCredentials',
  InvalidPasswordException: 'wrongCredentials',
  OperationTimeoutException: 'timeout',
  PasswordExpiredException: 'passwordExpired',
  PermissionDeniedException: 'permission',
  PreconditionFailedException: 'changed',
  RetryableException: 'busy',
  UnknownUidException: 'unknownId',
  UnsupportedOperationException: 'unsupported',
} as const satisfies Record<string, ErrorKind>

/** Of scripts that throw a status. */
export const kindsByStatus: Readonly<Record<number, ErrorKind>> = {
  400: 'invalidValue',
  401: 'wrongCredentials',
  403: 'permission',
  404: 'unknownId',
  409: 'alreadyExists',
  412: 'alreadyExists',
  501: 'unsupported',
  503: 'busy',
}
