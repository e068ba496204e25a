// The name of an entry says where the person works: who changes the unit is moved.
'uid=' + source.userName + ',ou=' + source.unit + ',dc=example,dc=com'
