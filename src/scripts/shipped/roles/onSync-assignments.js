// The server itself synchronizes whom an assignment concerns that changes.
exports.syncUsersOfRolesWithAssignment = () => {}
