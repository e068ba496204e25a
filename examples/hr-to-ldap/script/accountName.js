// The name of an entry says where the person works: who changes the unit is moved. Characters that mean something in names are escaped.
const text = (value) => value.replaceAll(/[,+"\\<>;=#]/g, (one) => `\\${one.charCodeAt(0).toString(16)}`)
const nameOf = ({ userName, unit }) => `uid=${text(userName)},ou=${text(unit)},dc=example,dc=com`
nameOf(source)
