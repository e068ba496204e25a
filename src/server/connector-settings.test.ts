import { describe, expect, it } from 'vitest'
import { formOf } from '../connectors/system/settings-form.ts'
import { namesSecretSetting } from '../model/secrecy.ts'
import { connectorKinds } from './connectors.ts'

/** What forms, editors and the configuration resource know of settings comes from the connectors' schemas alone. */
describe.each(connectorKinds().map((kind) => [kind.displayName, kind] as const))(
  'the settings of the %s',
  (_, kind) => {
    const form = formOf(kind)

    it('each have a title, a help text, a type and a group', () => {
      for (const { name, title, help, type, group } of form)
        expect([name, title, help, type, group]).toEqual([
          name,
          expect.stringMatching(/^[A-Z]/),
          expect.stringMatching(/\.$/),
          expect.stringMatching(/^(string|integer|number|boolean|array|object)$/),
          expect.stringMatching(/./),
        ])
    })

    it('that are secret are declared so: they are masked and encrypted by that', () => {
      const missed = form.filter(
        ({ name, type, secret, noEffect }) =>
          type === 'string' && noEffect === undefined && namesSecretSetting(name) && !secret,
      )
      // These name a column, an attribute or an algorithm.
      expect(
        missed.map(({ name }) => name).filter((name) => !/(Attribute|Column|Algorithm)$/.test(name)),
      ).toEqual([])
    })

    it('stand in one order, the groups together, those without effect last', () => {
      expect(form.map(({ order }) => order)).toEqual(form.map((__, place) => place))
      const groups = form.map(({ group }) => group).filter((group, place, all) => group !== all[place - 1])
      expect(groups).toEqual([...new Set(groups)])
      const dead = form.findIndex(({ noEffect }) => noEffect !== undefined)
      if (dead >= 0) expect(form.slice(dead).every(({ noEffect }) => noEffect !== undefined)).toBe(true)
    })

    it('that are in a group exist', () => {
      const names = new Set(form.map(({ name }) => name))
      expect(
        (kind.settingGroups ?? []).flatMap(({ settings }) => settings).filter((name) => !names.has(name)),
      ).toEqual([])
    })
  },
)
