// What goes with a user: the objects of identity providers. There are no notifications of the user interface.
require('ui/onUpdateUser').updateIdpRelationships({ _id: object._id })
