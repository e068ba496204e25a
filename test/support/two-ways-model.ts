import type { FaultProxy } from './fault-proxy.ts'

/** An attribute with its values. */
export type Given = readonly [string, readonly (string | Buffer)[]]

/** How a directory keeps what people and teams are, and how it is started. */
export interface DirectoryModel {
  readonly name: string
  /** The container above the units and the groups. */
  readonly base: string
  readonly administrator: { readonly dn: string; readonly password: string }
  /** The account that Syncline uses. */
  readonly syncAccount: { readonly dn: string; readonly password: string }
  /** What the names of entries begin with. */
  readonly naming: { readonly person: string; readonly unit: string; readonly team: string }
  readonly account: {
    readonly objectClass: string
    readonly userName: string
    readonly name: string
  }
  readonly group: { readonly objectClass: string; readonly member: string }
  /** Stands in a team without members, where the directory does not allow that; nobody at all where it does. */
  readonly nobody: string | undefined
  /** Members follow the names of their entries, and leave with them, by the directory itself. */
  readonly keepsMembers: boolean
  readonly passwordOf: (password: string) => Given
  /** What says whether somebody may log in. */
  readonly stateOf: (enabled: boolean) => Given
  readonly isEnabled: (value: string) => boolean
  /** Properties of the configuration of the system besides where it is and who asks. */
  readonly configuration: object
  /** Starts it with these entries besides its containers. */
  readonly start: (entries: string) => Promise<Directory>
}

export interface Directory extends AsyncDisposable {
  /** Where other programs reach it. */
  readonly url: string
  /** A file of the authority that signed its certificate. */
  readonly authority?: string
  /** Where Syncline reaches it, as its configuration says it: through a network that fails. */
  readonly address: object
  readonly network: FaultProxy
  stop(signal: NodeJS.Signals): Promise<void>
  start(): Promise<void>
}
