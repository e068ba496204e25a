/** Ways to find out what has changed in a directory, as the settings name them. */
export const strategyNames = ['accessLog', 'changeLog', 'dirSync', 'usn', 'syncrepl', 'timestamps'] as const

export type StrategyName = (typeof strategyNames)[number]
