// Asks a server for a sign of life again and again, from a process of its own: where the tests are busy, the time they take
// to notice an answer is not the server's. node pinging.js URL; SIGTERM ends it, and it prints how long each answer took, as
// a JSON array of milliseconds, or the first failure on standard error.
import { setTimeout as pause } from 'node:timers/promises'

const [url] = process.argv.slice(2)
const took = []
let asking = true
process.on('SIGTERM', () => {
  asking = false
})
while (asking) {
  const start = performance.now()
  const answer = await fetch(`${url}/info/ping`)
  const text = await answer.text()
  if (answer.status !== 200) throw new Error(`a ping was answered with ${answer.status}: ${text}`)
  took.push(performance.now() - start)
  await pause(20)
}
console.log(JSON.stringify(took))
