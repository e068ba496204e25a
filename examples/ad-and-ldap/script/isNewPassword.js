// No directory shows the password that it has. So it is written where it has just been set here, and with an account that is new.
const isChanged = oldSource != null && JSON.stringify(object.password) !== JSON.stringify(oldSource.password)
object.password != null && (!oldTarget || isChanged)
