// What the stock schema calls when a user is made.

exports.setDefaultFields = (object) => {
  if (!object.accountStatus) object.accountStatus = 'active'
  if (!object.authzRoles) object.authzRoles = [{ _ref: 'repo/internal/role/openidm-authorized' }]
}

/** An object for each identity provider that the user logs in with, and the user's relationship to it. */
exports.createIdpRelationships = (object) => {
  if (!object.idpData) return
  object.idps = Object.entries(object.idpData)
    .filter(([, data]) => data.enabled !== false)
    .map(([provider, { subject, rawProfile }]) => {
      openidm.create(`managed/${provider}`, subject, rawProfile)
      return { _ref: `managed/${provider}/${encodeURIComponent(subject)}` }
    })
}

/** A welcome by mail: there is no mail. */
exports.emailUser = () => {}
