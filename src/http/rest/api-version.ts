import { Problem } from '../../model/problem.ts'

/** The `Accept-API-Version` header (platform §1.1). */
const supported = { protocol: [2, 1], resource: [1, 0] } as const

/** The Content-API-Version header of every answer. */
export const contentApiVersion = 'protocol=2.1,resource=1.0'

/** BAD_REQUEST if the header cannot be read or asks for more than is supported. */
export function checkApiVersion(header: string | undefined): void {
  if (header === undefined) return
  for (const part of header.split(',')) {
    const [, name, major, minor] =
      /^\s*(protocol|resource)\s*=\s*(\d{1,4})(?:\.(\d{1,4}))?\s*$/i.exec(part) ?? []
    if (name === undefined) throw new Problem('BAD_REQUEST', `Accept-API-Version cannot be read: "${header}"`)
    const most = name.toLowerCase() === 'protocol' ? supported.protocol : supported.resource
    const more = Number(major) - most[0] || Number(minor ?? 0) - most[1]
    if (more > 0) {
      throw new Problem(
        'BAD_REQUEST',
        `Accept-API-Version "${header}" is not supported, at most ${contentApiVersion} is`,
      )
    }
  }
}
