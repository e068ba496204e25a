import type { Shape, Shapes } from '../shape.ts'
import { codeOf, type ScriptFault } from './code.ts'
import { callFaults, correlationFaults, memberFaults } from './members.ts'
import { type FoundModule, type Modules, requiredModules } from './modules.ts'
import { patternFaults } from './patterns.ts'
import { ownNames, variableFaults } from './scope.ts'
import { assignmentFault, valueFault } from './value.ts'

/** What a script is for: the rest of its judgement follows. */
export interface Purpose {
  /** What the objects in its variables look like, as far as it is known. */
  readonly variables: Readonly<Record<string, Shape>>
  /** True: these are all variables that there are, besides the script's own settings. */
  readonly complete?: boolean
  /** `value`: it must have one; `truth`: it must be true or false. */
  readonly wants?: 'value' | 'truth'
  /** True: what it writes to the object is stored. */
  readonly keeps?: boolean
  /** Its value is a query of objects of this shape. */
  readonly asks?: Shape
}

export interface Judgement {
  readonly faults: readonly ScriptFault[]
  readonly required: readonly FoundModule[]
}

export interface Surroundings {
  readonly shapes: Shapes
  readonly modules: Modules
}

const nothing: Judgement = { faults: [], required: [] }

/** Everything doubtful in a script that compiles. `globals`: names of the variables that its settings add. */
export function judgedScript(
  source: string,
  { variables, complete, wants, asks }: Purpose,
  globals: readonly string[],
  { shapes, modules }: Surroundings,
): Judgement {
  const code = codeOf(source)
  if (!code) return nothing
  const own = ownNames(code)
  const hidden = new Set([...own, ...globals])
  const { faults, found } = requiredModules(code, '', modules)
  const judged = [
    ...(wants ? [valueFault(code) ?? (wants === 'truth' ? assignmentFault(code) : undefined)] : []),
    ...memberFaults(code, hidden, variables),
    ...(complete ? variableFaults(code, own, [...Object.keys(variables), ...globals]) : []),
    ...callFaults(code, own, shapes),
    ...(asks ? correlationFaults(code, asks) : []),
    ...faults,
    ...patternFaults(code),
  ]
  return { faults: judged.filter((one) => one !== undefined), required: found }
}

/** The same of a file that scripts require; `folder`: where it stands below `script/`. */
export function judgedModule(source: string, folder: string, { shapes, modules }: Surroundings): Judgement {
  const code = codeOf(source, true)
  if (!code) return nothing
  const { faults, found } = requiredModules(code, folder, modules)
  return {
    faults: [...callFaults(code, ownNames(code), shapes), ...faults, ...patternFaults(code)],
    required: found,
  }
}
