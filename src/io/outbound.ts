/** Connections that the node opens. */
import { connect } from 'node:net';
import type { Network } from '../node/index.ts';
import { SocketWire } from './socket-wire.ts';

/** A connection that is neither made nor refused by then is given up. */
const CONNECT_MS_MAX = 30_000;

/** `sourceIp`: the local address to connect from; undefined for the system's choice. */
export function outboundNetwork(sourceIp: () => string | undefined): Network {
  return {
    connect: ({ host, port }, events) => {
      const localAddress = sourceIp();
      const socket = connect({
        host,
        port,
        noDelay: true,
        ...(localAddress === undefined ? {} : { localAddress }),
      });
      const wire = new SocketWire(socket);
      const timer = setTimeout(() => wire.giveUp('ETIMEDOUT'), CONNECT_MS_MAX);
      socket.on('connect', () => clearTimeout(timer));
      socket.on('close', () => clearTimeout(timer));
      wire.start(events);
      return wire;
    },
  };
}
