// The action `resetPassword` of the stock schema.

const handlebars = require('lib/handlebars')

/** Gives the user a password that nobody knows yet, and mails it. What cannot be mailed is not changed. */
exports.sendMail = (object, subject, message, rules, length) => {
  const settings = openidm.read('config/external.email')
  if (!settings) {
    logger.warn('conf/external.email.json is not there: the password of {} was not reset', object._id)
    return
  }
  // biome-ignore lint/style/useNodejsImportProtocol: it is the one beside this file
  const password = require('crypto').generateRandomString(rules, length)
  openidm.action('external/email', 'send', {
    ...{ from: settings.from, to: object.mail, subject, type: 'text/html' },
    body: handlebars.compile(message)({ object, password }),
  })
  const path = `managed/user/${encodeURIComponent(object._id)}`
  openidm.patch(path, null, [{ operation: 'replace', field: '/password', value: password }])
}
