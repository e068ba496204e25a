import { describe, expect, it } from 'vitest'
import { hintHere, namedCommand } from './named-command.ts'

describe('a command that the output names', () => {
  it('is about the project of the command that names it, and a shell takes it as it stands', () => {
    expect(namedCommand(['issues', '--mapping', 'hr_user'], { project: '.' })).toBe(
      'syncline issues --mapping hr_user',
    )
    expect(namedCommand(['apply', 'my plan.ndjson'], { project: '/srv/a b', data: '/var/x' })).toBe(
      'syncline apply "my plan.ndjson" --project "/srv/a b" --data /var/x',
    )
    expect(namedCommand(['query', 'audit/recon', `id eq "o'x"`], { project: '.' })).toBe(
      `syncline query audit/recon 'id eq "o'\\''x"'`,
    )
  })

  it('within a hint, too', () => {
    const hint = 'Look: `syncline plan a`, then `syncline recon a`; or set `guard`.'
    expect(hintHere(hint, { project: '.' })).toBe(hint)
    expect(hintHere(hint, { project: 'x' })).toBe(
      'Look: `syncline plan a --project x`, then `syncline recon a --project x`; or set `guard`.',
    )
  })
})
