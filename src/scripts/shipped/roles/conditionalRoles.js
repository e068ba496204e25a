// Grants by condition are kept by the server itself.
exports.updateConditionalGrantsForUser = () => {}
exports.roleCreate = () => {}
exports.roleUpdate = () => {}
