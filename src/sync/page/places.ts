import { Problem } from '../../model/problem.ts'

/** The page with those operations that are due taken one step on, each at its place. */
export async function onThose<T>(
  page: readonly T[],
  isDue: (operation: T) => boolean,
  step: (due: readonly T[]) => Promise<readonly T[]>,
): Promise<readonly T[]> {
  const due = page.filter(isDue)
  if (due.length === 0) return page
  const done = await step(due)
  if (done === due) return page
  if (done.length === page.length) return done
  let next = 0
  return page.map((operation) => (operation === due[next] ? (done[next++] ?? operation) : operation))
}

/** What those of a page that have a question are answered, at their places. Without questions nothing is asked. */
export async function askThose<T, Question, Answer>(
  page: readonly T[],
  questionOf: (operation: T, place: number) => Question | undefined,
  ask: (questions: readonly Question[], places: readonly number[]) => Promise<readonly Answer[]>,
): Promise<readonly (Answer | undefined)[]> {
  const places: number[] = []
  const questions: Question[] = []
  for (const [place, operation] of page.entries()) {
    const question = questionOf(operation, place)
    if (question === undefined) continue
    places.push(place)
    questions.push(question)
  }
  const answers = questions.length === 0 ? [] : await ask(questions, places)
  if (answers.length !== questions.length)
    throw new Problem('INTERNAL', `${questions.length} questions have ${answers.length} answers`)
  if (answers.length === page.length) return answers
  let next = 0
  return page.map((_, place) => (place === places[next] ? answers[next++] : undefined))
}
