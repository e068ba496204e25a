// A script of systemActions: the members of the request's body are its variables.
const retired = connection.execute('DELETE FROM cars WHERE year < ?', [before])
log.info('{} cars are gone', retired)
Object.freeze({ retired })
