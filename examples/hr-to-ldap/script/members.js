// Groups name their members by the names of their entries, as accountName.js makes them, in one fixed order. A group must have a member.
const text = (value) => value.replaceAll(/[,+"\\<>;=#]/g, (one) => `\\${one.charCodeAt(0).toString(16)}`)
const nameOf = ({ userName, unit }) => `uid=${text(userName)},ou=${text(unit)},dc=example,dc=com`
const people = (source ?? []).map((member) => openidm.read(member._ref)).filter((person) => person)
people.length > 0 ? people.map(nameOf).sort() : ['cn=syncline,dc=example,dc=com']
