/** Ports for nodes that nobody gave any. */
import { LibraryError } from './errors.ts';

/**
 * Client ports are tried in [first, first + count), with the bus port 10000 above. All of them lie below the range from
 * which systems give ports to outgoing connections, so that none of those takes one away.
 */
const PORT_FIRST = 11_000;
const PORT_COUNT = 11_000;
const TRIES_MAX = 200;

/** Calls `start` with one port after another until one is free: to try is the only way to know. */
export async function onFreePort<T>(start: (port: number) => Promise<T>): Promise<T> {
  const first = Math.floor(Math.random() * PORT_COUNT);
  for (let tries = 1; ; tries++) {
    const port = PORT_FIRST + ((first + tries) % PORT_COUNT);
    try {
      return await start(port);
    } catch (error) {
      const isTaken =
        error instanceof LibraryError &&
        error.code === 'START_FAILED' &&
        error.message.includes('Failed listening');
      if (!isTaken || tries >= TRIES_MAX) throw error;
    }
  }
}
