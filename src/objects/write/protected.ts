import type { Json, JsonObject } from '../../model/json.ts'
import { getAt } from '../../model/pointer.ts'
import type { RequestContext } from '../../router/resources.ts'
import type { FailedProperty } from '../policies/validator.ts'
import type { CompiledType } from '../type/compiled-type.ts'
import { placesOf, type Step, spotsAt } from '../type/places.ts'
import type { ManagedType, PropertySchema } from '../type/type.ts'

/** Where the properties stand that are changed from outside only with the password given again (platform §6.1). */
export function protectedPlaces(type: ManagedType): readonly (readonly Step[])[] {
  return placesOf(type)
    .filter(({ property }) => property.isProtected === true || asksForPassword(property))
    .map(({ path }) => path)
}

/** The shipped policy means the same. */
function asksForPassword({ policies }: PropertySchema): boolean {
  return policies?.some(({ policyId }) => policyId === 're-auth-required') ?? false
}

/** Of a change from `old` to `wanted`: a create has nothing yet to protect. */
export async function reauthenticationFailures(
  { protected: places, encryption }: CompiledType,
  old: JsonObject,
  wanted: JsonObject,
  { external, reauthenticated }: RequestContext,
): Promise<readonly FailedProperty[]> {
  if (!external || reauthenticated) return []
  const failures: FailedProperty[] = []
  for (const path of places) {
    const pointers = new Map(
      [...spotsAt(old, path), ...spotsAt(wanted, path)].map(({ pointer }) => [pointer.join('/'), pointer]),
    )
    for (const [property, pointer] of pointers) {
      const before: Json | undefined = getAt(old, pointer)
      if (!(await encryption.same(before, getAt(wanted, pointer))))
        failures.push({ property, policyRequirements: [{ policyRequirement: 'REAUTH_REQUIRED' }] })
    }
  }
  return failures
}
