import { type Command, InvalidArgumentError } from 'commander'
import { actions } from '../mapping/situation.ts'
import type { PlanFilters } from '../plan/plan-line.ts'

export interface FilterOptions {
  readonly onlyAction?: readonly string[]
  readonly onlyId?: readonly string[]
}

/** Options that select which entries of a plan are made, shown or performed. */
export function withFilters(command: Command): Command {
  return command
    .option('--only-action <list>', 'only these actions, e.g. CREATE,UPDATE', actionList)
    .option('--only-id <id>', 'only this source or target; may be repeated', collected)
}

export function filtersOf({ onlyAction, onlyId }: FilterOptions, limit?: number): PlanFilters {
  return {
    ...(onlyAction ? { actions: onlyAction } : {}),
    ...(onlyId ? { ids: onlyId } : {}),
    ...(limit === undefined ? {} : { limit }),
  }
}

/** The same options as words, with `--limit`. */
export function filterWords({
  onlyAction = [],
  onlyId = [],
  limit,
}: FilterOptions & { readonly limit?: number }): readonly string[] {
  return [
    ...(onlyAction.length > 0 ? ['--only-action', onlyAction.join(',')] : []),
    ...onlyId.flatMap((id) => ['--only-id', id]),
    ...(limit === undefined ? [] : ['--limit', String(limit)]),
  ]
}

function actionList(text: string): readonly string[] {
  const names = text.split(',').map((name) => name.trim().toUpperCase())
  const unknown = names.find((name) => !actions.some((action) => action === name))
  if (unknown !== undefined)
    throw new InvalidArgumentError(`"${unknown}" is not an action. Allowed: ${actions.join(', ')}.`)
  return names
}

function collected(id: string, before: readonly string[] = []): readonly string[] {
  return [...before, id]
}
