// An object with what it is linked to: `endpoint/linkedView` of the stock configuration.

exports.fetch = (resourceName) => {
  const object = openidm.read(resourceName)
  if (object === null) return null
  try {
    const linkedTo = openidm.action('sync', 'getLinkedResources', {}, { resourceName })
    return { ...object, linkedTo }
  } catch (error) {
    return { ...object, error: error.message, linkedTo: [] }
  }
}
