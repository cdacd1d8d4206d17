/**
 * A file that one process at a time may have. Redis locks such a file; a program of Node cannot, so the claim is a socket
 * without a file ("abstract", of Linux only), named after the place, which goes with the process however that ends.
 */
import { type Stats, statSync } from 'node:fs';
import { type Server, createServer } from 'node:net';
import { basename, dirname } from 'node:path';
import { sha256Hex } from '../base/index.ts';

/**
 * Claims a file, which need not be there; the claim ends with the server.
 * @returns undefined when another process has it; nothing to close where the system has no such sockets, or lets us have none
 */
export async function claim(path: string): Promise<readonly Server[] | undefined> {
  const name = claimName(path);
  if (name === undefined) return [];
  const server = createServer((socket) => socket.destroy()).unref();
  return new Promise((resolve) => {
    server.once('error', ({ code }: NodeJS.ErrnoException) => {
      resolve(code === 'EADDRINUSE' ? undefined : []);
    });
    server.listen({ path: name }, () => resolve([server]));
  });
}

function claimName(path: string): string | undefined {
  if (process.platform !== 'linux') return undefined;
  let folder: Stats;
  try {
    folder = statSync(dirname(path));
  } catch {
    // What is the matter with it is told where the file is opened.
    return undefined;
  }
  // A folder by its number: it may be reached by several paths. A name of a socket has room for a hundred bytes.
  const place = Buffer.from(`${folder.dev} ${folder.ino} ${basename(path)}`);
  return `\0slotline-claim-${sha256Hex(place)}`;
}
