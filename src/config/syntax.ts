/**
 * Why a text is no strict JSON: every fault that a tolerant parser finds in it, in words and with its offset, without those that only
 * follow from an earlier one. Pure.
 */
import { createScanner, type ParseError, printParseErrorCode } from 'jsonc-parser'

export interface SyntaxFault {
  readonly offset: number
  readonly message: string
}

/** More of one file say nothing new: it is another format, or its quotes are all wrong. */
const mostFaults = 20

export function syntaxFaults(errors: readonly ParseError[], text: string): readonly SyntaxFault[] {
  const faults = ownFaults(withoutBrokenStrings(errors, text), text).map((error) => ({
    offset: error.offset,
    message: syntaxMessage(error, text),
  }))
  const next = faults[mostFaults]
  if (!next) return faults
  const more = `${faults.length - mostFaults} more errors follow in this file; mend those above first`
  return [...faults.slice(0, mostFaults), { offset: next.offset, message: more }]
}

/** Where a string has line breaks, its closing quote would begin another one: nothing behind can be told from text. */
function withoutBrokenStrings(errors: readonly ParseError[], text: string): readonly ParseError[] {
  const end = errors.findIndex((error, index) => {
    const next = errors[index + 1]
    if (codeOf(error) !== 'UnexpectedEndOfString' || !next || codeOf(next) !== 'InvalidSymbol') return false
    return text.slice(error.offset + error.length, next.offset).trim() === ''
  })
  return end < 0 ? errors : errors.slice(0, end + 1)
}

function ownFaults(errors: readonly ParseError[], text: string): readonly ParseError[] {
  const brackets = bracketsOf(text)
  const last = brackets.wrongAt ?? text.length
  return errors.filter((error, index) => {
    const before = errors[index - 1]
    if (!before) return true
    if (error.offset > last || follows(error, before, text)) return false
    // Having skipped something, the parser may have lost count of the brackets.
    return !isAboutEnd(error) || (!brackets.unknown && brackets.wrongAt !== undefined && !isAboutEnd(before))
  })
}

/** The parser skips what it cannot read up to the next comma or bracket, and misses something at each of its steps. */
function follows(error: ParseError, before: ParseError, text: string): boolean {
  const [what, earlier] = [codeOf(error), codeOf(before)]
  if (!what.endsWith('Expected')) return false
  if (error.offset === before.offset) return true
  if (what === 'ValueExpected' && earlier === 'PropertyNameExpected') return true
  const end = before.offset + before.length
  const isRead = earlier === 'CommaExpected' || earlier === 'ColonExpected' || earlier.startsWith('InvalidC')
  const isBracket = /^[}\]]/.test(text.slice(before.offset, end))
  return !isRead && !isBracket && text.slice(end, error.offset).trim() === ''
}

function isAboutEnd(error: ParseError): boolean {
  return /^(?:Close|EndOfFile)/.test(codeOf(error))
}

function codeOf({ error }: ParseError): string {
  return printParseErrorCode(error)
}

/** Where the brackets alone are wrong, or the end if one is left open. Unknown: a string that is not closed may hide some. */
function bracketsOf(text: string): { readonly wrongAt?: number | undefined; readonly unknown: boolean } {
  const scanner = createScanner(text, true)
  const open: string[] = []
  let wrongAt: number | undefined
  while (scanner.scan() !== endOfFile) {
    if (scanner.getTokenError() === unexpectedEndOfString) return { unknown: true }
    const bracket = text[scanner.getTokenOffset()] ?? ''
    const closing = closingOf[bracket]
    if (closing !== undefined) open.push(closing)
    else if (/[}\]]/.test(bracket) && open.pop() !== bracket) wrongAt ??= scanner.getTokenOffset()
  }
  return { unknown: false, wrongAt: wrongAt ?? (open.length > 0 ? text.length : undefined) }
}

// `SyntaxKind.EOF`, `ScanError.UnexpectedEndOfString`: constant enumerations are not there at run time.
const [endOfFile, unexpectedEndOfString] = [17, 2] as const
const closingOf: Readonly<Record<string, string>> = { '{': '}', '[': ']' }

function syntaxMessage(error: ParseError, text: string): string {
  const { offset, length } = error
  const found = text.slice(offset, offset + Math.max(length, 1))
  switch (codeOf(error)) {
    case 'InvalidCommentToken':
    case 'UnexpectedEndOfComment':
      return 'JSON has no comments; use a property such as "comment": "…"'
    case 'PropertyNameExpected':
    case 'ValueExpected':
      return /,\s*$/.test(text.slice(0, offset)) && /[}\]]/.test(found)
        ? `the comma before ${found} is too many; remove it`
        : `a ${codeOf(error) === 'ValueExpected' ? 'value' : 'property name in quotes'} is missing here`
    case 'InvalidSymbol':
      return found.startsWith("'")
        ? `strings and names need double quotes, found ${found}`
        : `${found} is not JSON; names and texts need double quotes`
    case 'ColonExpected':
      return 'a colon is missing between name and value'
    case 'CommaExpected':
      return commaMessage(found)
    case 'CloseBraceExpected':
      return 'the file ends before the closing } of an object'
    case 'CloseBracketExpected':
      return 'the file ends before the closing ] of an array'
    case 'EndOfFileExpected':
      return `there is text behind the end of the object: ${found}; a file holds one JSON object`
    case 'UnexpectedEndOfString':
      return 'the string is not closed on its line; close it with ", and write line breaks as \\n'
    case 'InvalidEscapeCharacter':
    case 'InvalidUnicode':
      return `the escape in ${found} is not JSON; write a backslash as \\\\`
    case 'InvalidCharacter':
      return 'the string holds a control character; write a tab as \\t'
    default:
      return `this is not JSON: ${found}`
  }
}

/** The parser wants a comma where it is a bracket that is missing, too. */
function commaMessage(found: string): string {
  if (found === '}') return 'an array is not closed before this }; its ] is missing'
  if (found === ']') return 'an object is not closed before this ]; its } is missing'
  if (found === ':') return 'a colon cannot stand here; close the array or object before this name'
  return 'a comma is missing before this'
}
