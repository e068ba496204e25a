/**
 * Relationships between objects (platform §6.1): one row each, found from either end. An end is a collection, an
 * id and the property that shows the relationship there, empty where none does.
 */
export const relationships = `
  CREATE TABLE relationships (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    rev TEXT NOT NULL,
    first_collection TEXT NOT NULL,
    first_id TEXT NOT NULL,
    first_property TEXT NOT NULL,
    second_collection TEXT NOT NULL,
    second_id TEXT NOT NULL,
    second_property TEXT NOT NULL,
    properties TEXT NOT NULL
  ) STRICT;
  CREATE INDEX relationships_first ON relationships
    (first_id, first_property, first_collection, second_id, second_collection, second_property);
  CREATE INDEX relationships_second ON relationships
    (second_id, second_property, second_collection, first_id, first_collection, first_property);
`
