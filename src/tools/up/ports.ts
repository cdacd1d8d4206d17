/** Which ports are free on this machine. */
import { createServer } from 'node:net';

/**
 * Whether `port` can be bound on `host`: `free`, `taken`, or the reason why the address cannot be used at all.
 */
export function probePort(host: string, port: number): Promise<'free' | 'taken' | Error> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code === 'EADDRINUSE' ? 'taken' : error),
    );
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve('free')));
  });
}
