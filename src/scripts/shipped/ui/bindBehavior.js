// Nobody can log in with an identity provider here, so a user has nothing to bind to one.
throw { code: 501, message: 'there are no social identity providers here' }
