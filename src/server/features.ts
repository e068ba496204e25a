import { auditFeature } from '../audit/feature.ts'
import { authenticationFeature } from '../authentication/feature.ts'
import type { Project } from '../config/project.ts'
import { endpointFeature } from '../endpoint/feature.ts'
import { emailFeature, emailTemplateFeature } from '../external/email-feature.ts'
import { externalFeature } from '../external/feature.ts'
import type { Feature } from '../feature/feature.ts'
import { managedFeature } from '../objects/feature.ts'
import { policyFeature } from '../objects/policies/feature.ts'
import { routerFeature } from '../router/scripts/feature.ts'
import { scheduleFeature } from '../schedule/feature.ts'
import type { ScriptEngine } from '../scripts/engine.ts'
import { mappingFeature } from './mappings.ts'
import { serverFeature } from './resources/feature.ts'
import { infoFeature } from './resources/info-feature.ts'
import type { Host, Services } from './services.ts'
import { type SystemTools, systemFeature } from './systems.ts'

/** The input of features when they compile: the project, and the engine for its scripts. */
export interface Tools extends Project, Pick<SystemTools, 'openSystem'> {
  readonly project: Project
  readonly engine: ScriptEngine
}

export type ServerFeature = Feature<unknown, Tools, Host, Services>

/** The features of the server. Each comes after the features whose values it needs. */
export const features: readonly ServerFeature[] = [
  policyFeature,
  routerFeature,
  managedFeature,
  systemFeature,
  mappingFeature,
  scheduleFeature,
  endpointFeature,
  externalFeature,
  emailTemplateFeature,
  emailFeature,
  auditFeature,
  authenticationFeature,
  serverFeature,
  infoFeature,
]
