import { Problem } from '../../model/problem.ts'

/** The page with those operations that are due taken one step on, each at its place. */
export async function onThose<T>(
  page: readonly T[],
  isDue: (operation: T) => boolean,
  step: (due: readonly T[]) => Promise<readonly T[]>,
): Promise<readonly T[]> {
  const due = page.filter(isDue)
  if (due.length === 0) return page
  const done = new Map((await step(due)).map((operation, position) => [due[position], operation]))
  return page.map((operation) => done.get(operation) ?? operation)
}

/** What those of a page that have a question are answered, at their places; nobody is asked for nothing. */
export async function askThose<T, Question, Answer>(
  page: readonly T[],
  questionOf: (operation: T, place: number) => Question | undefined,
  ask: (questions: readonly Question[], places: readonly number[]) => Promise<readonly Answer[]>,
): Promise<readonly (Answer | undefined)[]> {
  const places: number[] = []
  const questions = page.flatMap((operation, place) => {
    const question = questionOf(operation, place)
    if (question === undefined) return []
    places.push(place)
    return [question]
  })
  const answers = questions.length === 0 ? [] : await ask(questions, places)
  if (answers.length !== questions.length)
    throw new Problem('INTERNAL', `${questions.length} questions have ${answers.length} answers`)
  const byPlace = new Map(places.map((place, position) => [place, answers[position]]))
  return page.map((_, place) => byPlace.get(place))
}
