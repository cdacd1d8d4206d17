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
    const found = await probePort(shape.bind, port);
    if (found === 'free') continue;
    if (found !== 'taken') {
      const message = `Cannot listen on ${shape.bind}:${port}: ${found.message}`;
      throw new ToolError('LOCAL', message, found);
    }
    const isBus = !ports.includes(port);
    const which = isBus ? `bus port ${port} (of node ${port - BUS_PORT_OFFSET})` : `port ${port}`;
    const whose = isBus ? '' : await whoseText(port);
    throw new ToolError(
      'LOCAL',
      `Cannot start: ${which} is taken${whose}; end what listens there, or take another --port and --dir`,
    );
  }
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
