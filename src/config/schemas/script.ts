/** The schema of `script.json` (platform §7.1); `timeout` and `memory` are Syncline's own. */
import Type from 'typebox'
import { anyObject, dictionary, text, whole, withoutEffect } from './author.ts'

export const scriptSettingsSchema = Type.Object(
  {
    sources: dictionary(
      Type.Union([
        Type.String({ 'x-noun': 'a folder' }),
        Type.Object({
          directory: Type.String(),
          subdirectories: Type.Optional(Type.Union([Type.Boolean(), Type.String()])),
        }),
      ]),
      'Folders with script files, each under a name of your choice. If several hold the same file, the last folder wins.',
      { default: { project: 'script' } },
    ),
    timeout: whole('Milliseconds that a script may run.', 5000, { minimum: 1 }),
    memory: whole('MiB that scripts may use in one sandbox.', 128, { minimum: 8 }),
    Default: text('The language of scripts without `type`.', { default: 'text/javascript' }),
    properties: anyObject(
      'Settings of script engines; read for compatibility.',
      withoutEffect('there is one engine'),
    ),
    ECMAScript: anyObject(
      'Settings of an older engine; read for compatibility.',
      withoutEffect('there is one engine'),
    ),
    Groovy: anyObject(
      'Settings of the Groovy engine; read for compatibility.',
      withoutEffect('Groovy is not run'),
    ),
  },
  {
    title: 'Script settings',
    description: '`conf/script.json`: where scripts are found and what they may use.',
  },
)
