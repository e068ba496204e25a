// Groups name their members by the names of their entries, in one fixed order. A group must have a member.
const people = (source || []).map((member) => openidm.read(member._ref)).filter((person) => person)
const names = people.map((person) => 'uid=' + person.userName + ',ou=' + person.unit + ',dc=example,dc=com')
names.length > 0 ? names.sort() : ['cn=syncline,dc=example,dc=com']
