import type { ProjectOptions } from './options.ts'

type Where = Pick<ProjectOptions, 'project' | 'data'>

/** A command that the output names as the next step: it works as it stands, so it is about the same project as this one. */
export function namedCommand(words: readonly string[], where: Where): string {
  return ['syncline', ...words, ...projectWords(where)].map(quoted).join(' ')
}

/** A hint whose commands, in backticks, are about this project. */
export function hintHere(hint: string, where: Where): string {
  const more = projectWords(where).map(quoted)
  if (more.length === 0) return hint
  return hint.replaceAll(/`(syncline [^`]+)`/g, (_, command: string) => `\`${[command, ...more].join(' ')}\``)
}

function projectWords({ project, data }: Where): readonly string[] {
  return [...(project === '.' ? [] : ['--project', project]), ...(data === undefined ? [] : ['--data', data])]
}

/** As a shell takes it for one word. */
function quoted(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word
  return /["$`\\!]/.test(word) ? `'${word.replaceAll("'", "'\\''")}'` : `"${word}"`
}
