/**
 * A dry run and nothing else: reads both sides, decides and shapes, and keeps no line of it. What a plan costs on top
 * is what reasons, fingerprints and the file cost.
 *
 *     node dry-run.ts <project> <data>
 */
import { openApplication } from '../src/syncline.ts'
import { mappingName } from './project.ts'

const [projectFolder, dataFolder] = process.argv.slice(2) as [string, string]
const application = await openApplication({
  projectFolder,
  dataFolder,
  environment: {},
  flags: {},
  log: () => {},
})
const request = { mapping: mappingName, analyze: true, foreseeHooks: true }
const { run, done } = await application.reconciliations.start(request, application.administrator)
await done
console.log(JSON.stringify(run))
await application[Symbol.asyncDispose]()
process.exit(0)
