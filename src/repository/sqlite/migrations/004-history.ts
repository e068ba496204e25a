/** What happened to one object is found without reading the audit: by its id as source, as target, or as the object. */
export const history = `
  CREATE INDEX audit_source ON audit (json_extract(content, '$.sourceObjectId'))
    WHERE json_extract(content, '$.sourceObjectId') IS NOT NULL;
  CREATE INDEX audit_target ON audit (json_extract(content, '$.targetObjectId'))
    WHERE json_extract(content, '$.targetObjectId') IS NOT NULL;
  CREATE INDEX audit_object ON audit (json_extract(content, '$.objectId'))
    WHERE json_extract(content, '$.objectId') IS NOT NULL;
`
