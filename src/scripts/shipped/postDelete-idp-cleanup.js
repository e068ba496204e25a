// What goes with a user that has been deleted: the objects of identity providers.
exports.removeConnectedIdpData = (oldObject) => {
  for (const { _ref } of oldObject.idps ?? []) openidm.delete(_ref, null)
}
