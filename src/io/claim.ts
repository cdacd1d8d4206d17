/**
 * A file that one process at a time may have. Redis locks such a file; a program of Node cannot, so the claim is a socket
 * without a file ("abstract", of Linux only), named after the place, which goes with the process however that ends.
 */
import { statSync } from 'node:fs';
import { type Server, createServer } from 'node:net';
import { basename, dirname } from 'node:path';

/**
 * Claims a file, which need not be there; the claim ends with the server.
 * @returns undefined when another process has it; nothing to close where the system has no such sockets
 */
export async function claim(path: string): Promise<readonly Server[] | undefined> {
  const name = claimName(path);
  if (name === undefined) return [];
  const server = createServer((socket) => socket.destroy()).unref();
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen({ path: name }, () => resolve([server]));
  });
}

function claimName(path: string): string | undefined {
  if (process.platform !== 'linux') return undefined;
  // A folder by its number: it may be reached by several paths. A folder that is not there fails where the file is opened.
  const folder = statSync(dirname(path), { throwIfNoEntry: false });
  if (folder === undefined) return undefined;
  return `\0slotline-claim-${folder.dev}-${folder.ino}-${basename(path)}`;
}
