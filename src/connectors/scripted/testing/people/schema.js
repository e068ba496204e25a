builder.objectClass('__ACCOUNT__', {
  __NAME__: { type: 'string', required: true },
  mail: 'string',
  name: 'string',
  photo: 'bytes',
  phones: { type: 'string', multivalued: true },
  __PASSWORD__: 'string',
})
