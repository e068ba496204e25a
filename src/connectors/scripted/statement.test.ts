import { expect, it } from 'vitest'
import type { Client } from '../sql/address.ts'
import { cellOf, placed } from './statement.ts'

const clients: readonly Client[] = ['postgres', 'mysql', 'sqlite', 'sqlserver']

it.each([
  ['SELECT ? AS a, ?', 'SELECT <1> AS a, <2>', clients],
  ["WHERE a = '?' AND b = ?", "WHERE a = '?' AND b = <1>", clients],
  ["WHERE a = 'it''s?' AND b = ?", "WHERE a = 'it''s?' AND b = <1>", clients],
  ['WHERE "a?" = ?', 'WHERE "a?" = <1>', clients],
  ['-- really?\nSELECT ?', '-- really?\nSELECT <1>', clients],
  ['/* ? */ SELECT ?', '/* ? */ SELECT <1>', clients],
  ['SELECT a ?? b, ?', 'SELECT a ? b, <1>', clients],
  ["WHERE a = '\\'?' AND b = ?", "WHERE a = '\\'?' AND b = <1>", ['mysql']],
  ["WHERE a = 'c:\\' AND b = ?", "WHERE a = 'c:\\' AND b = <1>", ['postgres', 'sqlite', 'sqlserver']],
  ["WHERE a = E'\\'?' AND b = ?", "WHERE a = E'\\'?' AND b = <1>", ['postgres']],
  ['SELECT $$?$$, $x$ ? $x$, ?', 'SELECT $$?$$, $x$ ? $x$, <1>', ['postgres']],
  ['SELECT `a?`, ?', 'SELECT `a?`, <1>', ['mysql', 'sqlite']],
  ['# why?\nSELECT ?', '# why?\nSELECT <1>', ['mysql']],
  ['SELECT [a?], ?', 'SELECT [a?], <1>', ['sqlite', 'sqlserver']],
  ['SELECT [a]]?], ?', 'SELECT [a]]?], <1>', ['sqlserver']],
  ['SELECT a[?]', 'SELECT a[<1>]', ['postgres']],
] as const)('puts parameters in their places: %s', (given, expected, those) => {
  for (const client of those) expect(placed(given, client, (place) => `<${place}>`).sql).toBe(expected)
})

it('counts the places', () => {
  expect(placed("SELECT ?, '?', ?", 'postgres', (place) => `$${place}`).places).toBe(2)
})

it('binds dates as times of the database, bytes as bytes, and truth as it has it', () => {
  const date = { timestamp: '2026-01-31T08:05:00.250Z' }
  expect(clients.map((client) => cellOf(date, 1, client))).toEqual([
    '2026-01-31 08:05:00.250000',
    '2026-01-31 08:05:00.250000',
    '2026-01-31T08:05:00.250Z',
    '2026-01-31 08:05:00.250000',
  ])
  expect(clients.map((client) => cellOf(true, 1, client))).toEqual(['true', 1, 1, 1])
  expect(cellOf({ base64: 'AAE=' }, 1, 'postgres')).toEqual(Uint8Array.of(0, 1))
})
