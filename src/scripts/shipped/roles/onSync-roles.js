// The server itself synchronizes the members of a role that changes.
exports.syncUsersOfRoles = () => {}
