/** A script as configuration has it. */
export const script = (source: string) => ({ type: 'text/javascript', source })
