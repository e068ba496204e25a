import type { Report, Row, Section } from './report.ts'

export const reportFormats = ['text', 'markdown', 'html'] as const
export type ReportFormat = (typeof reportFormats)[number]

export function printReport(report: Report, format: ReportFormat): string {
  return { text, markdown, html }[format](report)
}

const widest = 100

function text({ title, facts, sections }: Report): string {
  const head = [title, ...facts.map((fact) => `  ${fact}`)]
  return `${[...head, ...sections.flatMap((section) => ['', ...textSection(section)])].join('\n')}\n`
}

function textSection({ title, rows, note }: Section): readonly string[] {
  const whats = Math.min(32, Math.max(...rows.map(({ what }) => what.length)))
  const counts = Math.max(...rows.map(({ count }) => count.length))
  const lines = rows.map(({ sign, what, how, count, who }) => {
    const line = `  ${sign.padEnd(1)} ${what.padEnd(whats)}  ${count.padStart(counts)}  ${shortened(how)}`
    return (who === '' ? line : `${line}  · ${who}`).trimEnd()
  })
  return [title, ...lines, ...(note === undefined ? [] : [`    ${note}`])]
}

function shortened(line: string): string {
  return line.length > widest ? `${line.slice(0, widest - 1)}…` : line
}

function markdown({ title, facts, sections }: Report): string {
  const parts = sections.map(({ title, rows, note }) => {
    const lines = rows.map(
      ({ sign, what, how, count, who }) => `| ${[sign, what, count, how, who].map(cell).join(' | ')} |`,
    )
    return [
      ...[`## ${escaped(title)}`, '', '| | what | how many | | who |', '|---|---|---:|---|---|', ...lines],
      ...(note === undefined ? [] : ['', note]),
    ].join('\n')
  })
  return `${[`# ${escaped(title)}`, facts.map((fact) => `* ${escaped(fact)}`).join('\n'), ...parts].join('\n\n')}\n`
}

/** Data of identities is no markup. */
function escaped(line: string): string {
  return line.replaceAll(/[\\`*_{}[\]<>#|!~]/g, (sign) => `\\${sign}`).replaceAll(/[\r\n]+/g, ' ')
}

function cell(line: string): string {
  return ['+', '~', '-', '!'].includes(line) ? line : escaped(line)
}

const colours = {
  rare: '#b35900',
  refused: '#b00020',
  adds: '#1b6e20',
  changes: '#7a5d00',
  removes: '#b00020',
}

function html({ title, facts, sections }: Report): string {
  const parts = sections.map(
    ({ title, tone, rows, note }) =>
      `<section><h2 style="color:${colours[tone]}">${entities(title)}</h2><table>` +
      `<thead><tr><th></th><th>What</th><th>How many</th><th></th><th>Who</th></tr></thead>` +
      `<tbody>${rows.map(htmlRow).join('')}</tbody></table>${note === undefined ? '' : `<p>${entities(note)}</p>`}</section>`,
  )
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${entities(title)}</title>
<style>
body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:75rem;padding:0 1rem;color:#222;background:#fff}
h1{font-size:1.4rem}h2{font-size:1.05rem;margin:1.6rem 0 .4rem}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.25rem .6rem;border-bottom:1px solid #ddd;vertical-align:top}
th{font-weight:600;color:#555}td.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td.v{font-family:ui-monospace,monospace;font-size:.9em;overflow-wrap:anywhere}
</style></head>
<body><h1>${entities(title)}</h1>
<ul>${facts.map((fact) => `<li>${entities(fact)}</li>`).join('')}</ul>
${parts.join('\n')}
</body></html>
`
}

function htmlRow({ sign, what, how, count, who }: Row): string {
  return (
    `<tr><td>${entities(sign)}</td><td>${entities(what)}</td><td class="n">${entities(count)}</td>` +
    `<td class="v">${entities(how)}</td><td>${entities(who)}</td></tr>`
  )
}

function entities(line: string): string {
  return line
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}
