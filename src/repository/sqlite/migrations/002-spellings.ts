/**
 * Ids that ignore case are stored in lower case; these columns keep how their systems spell them. Null: as stored, or
 * not known.
 */
export const spellings = `
  ALTER TABLE links ADD COLUMN first_spelling TEXT;
  ALTER TABLE links ADD COLUMN second_spelling TEXT;
`
