// validSource of hrAccount_managedUser: people who have left do not get a user.
// The value of a script is the value of its last expression; it has to be true or false, not just truthy.
source.status !== 'terminated'
