// Removes the events of old runs, for a schedule: `input` says of which mappings, and how many or how old.

const { mappings = ['%'], purgeType, numOfRecons, intervalUnit, intervalValue } = input
const units = { minutes: 60_000, hours: 3_600_000, days: 86_400_000 }

function limit() {
  if (purgeType === 'purgeByNumOfReconsToKeep')
    return { commandId: 'purge-by-recon-number-of', numberOf: String(numOfRecons) }
  if (purgeType !== 'purgeByExpired') throw { code: 400, message: `purgeType: unknown "${purgeType}"` }
  if (!units[intervalUnit]) throw { code: 400, message: `intervalUnit: unknown "${intervalUnit}"` }
  const timestamp = new Date(Date.now() - intervalValue * units[intervalUnit]).toISOString()
  return { commandId: 'purge-by-recon-expired', timestamp }
}

const command = limit()
mappings.map((mapping) => {
  const { include = mapping, exclude } = typeof mapping === 'string' ? {} : mapping
  const only = { includeMapping: include, ...(exclude && { excludeMapping: exclude }) }
  return openidm.action('repo/audit/recon', 'command', {}, { ...command, ...only })
})
