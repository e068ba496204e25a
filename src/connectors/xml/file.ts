import { type FileHandle, stat } from 'node:fs/promises'
import { openFile } from '../files/file.ts'
import { ConnectorError } from '../kit/errors.ts'

/** The file of a document. */

export async function openXml(path: string): Promise<FileHandle> {
  const handle = await openFile(path)
  if ((await handle.stat()).isFile()) return handle
  await handle.close()
  throw new ConnectorError('misconfigured', `${path} is no file; xmlFilePath must name a file`)
}

export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}

export async function isAfterLineBreak(handle: FileHandle, offset: number): Promise<boolean> {
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, offset - 1)
  return buffer[0] === 0x0a
}
