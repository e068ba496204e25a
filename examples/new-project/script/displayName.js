// The transform of displayName: `source` is the whole person, because the property has "source": "".
// The value of a script is the value of its last expression.
`${source.firstName} ${source.lastName}`
