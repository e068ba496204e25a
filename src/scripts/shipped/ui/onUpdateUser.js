// What the stock schema calls when a user is changed.

/** An update leaves alone what it may not see, so there is nothing to preserve. */
exports.preserveLastSync = () => {}

/** Of a type without such relationships there are none. */
function relationships(user) {
  try {
    return openidm.query(`managed/user/${encodeURIComponent(user)}/idps`, { _queryFilter: 'true' }).result
  } catch (error) {
    if (error.code === 404) return []
    throw error
  }
}

/** Makes what new identity providers need, and removes what belongs to those that are gone or switched off. */
exports.updateIdpRelationships = ({ _id, idpData }) => {
  const present = new Set(relationships(_id).map(({ _ref }) => _ref))
  for (const [provider, { enabled, subject, rawProfile }] of Object.entries(idpData || {})) {
    const reference = `managed/${provider}/${encodeURIComponent(subject)}`
    if (enabled === false || present.delete(reference)) continue
    openidm.create(`managed/${provider}`, subject, { user: { _ref: `managed/user/${_id}` }, ...rawProfile })
  }
  for (const reference of present) openidm.delete(reference, null)
}

/** Notifications of the user interface: there are none. */
exports.createNotification = () => {}
