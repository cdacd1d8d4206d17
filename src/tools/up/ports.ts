/** Which ports are free on this machine. */
import { createServer } from 'node:net';
import { ToolError } from '../errors.ts';
import { BUS_PORT_OFFSET, type UpShape, nodePorts } from './options.ts';

/**
 * Throws ToolError `LOCAL` for the first client or bus port that the nodes cannot have. `whoseText` adds to the message
 * whose node it is that has a client port, and may be empty.
 */
export async function checkPorts(
  shape: UpShape,
  whoseText: (port: number) => Promise<string>,
): Promise<void> {
  const ports = nodePorts(shape);
  for (const port of [...ports, ...ports.map((each) => each + BUS_PORT_OFFSET)]) {
    if (await isFree(shape.bind, port)) continue;
    const isBus = !ports.includes(port);
    const which = isBus ? `bus port ${port} (of node ${port - BUS_PORT_OFFSET})` : `port ${port}`;
    throw taken(`${which} is taken${isBus ? '' : await whoseText(port)}`);
  }
}

/** Throws ToolError `LOCAL` for the first of the ports that is not free. */
export async function checkFree(bind: string, ports: readonly number[]): Promise<void> {
  for (const port of ports) {
    if (!(await isFree(bind, port))) throw taken(`port ${port} is taken`);
  }
}

function taken(what: string): ToolError {
  const message = `Cannot start: ${what}; end what listens there, or take another --port and --dir`;
  return new ToolError('LOCAL', message);
}

/** Throws ToolError `LOCAL` when the address cannot be used at all. */
async function isFree(bind: string, port: number): Promise<boolean> {
  const found = await probePort(bind, port);
  if (found === 'free' || found === 'taken') return found === 'free';
  throw new ToolError('LOCAL', `Cannot listen on ${bind}:${port}: ${found.message}`, found);
}

/**
 * Whether `port` can be bound on `host`: `free`, `taken`, or the reason why the address cannot be used at all.
 */
function probePort(host: string, port: number): Promise<'free' | 'taken' | Error> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code === 'EADDRINUSE' ? 'taken' : error),
    );
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve('free')));
  });
}
