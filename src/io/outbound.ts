/** Connections that the node opens. */
import { connect } from 'node:net';
import type { Network, Wire, WireEvents } from '../node/index.ts';
import { plainIp } from './socket-wire.ts';

/** A connection that is neither made nor refused by then is given up. */
const CONNECT_MS_MAX = 30_000;

/** `sourceIp`: the local address to connect from; undefined for the system's choice. */
export function outboundNetwork(sourceIp: () => string | undefined): Network {
  return {
    connect: ({ host, port }, events) => open({ host, port, sourceIp: sourceIp() }, events),
  };
}

function open(
  target: { readonly host: string; readonly port: number; readonly sourceIp: string | undefined },
  events: WireEvents,
): Wire {
  const socket = connect({
    host: target.host,
    port: target.port,
    noDelay: true,
    ...(target.sourceIp === undefined ? {} : { localAddress: target.sourceIp }),
  });
  let reason: string | undefined;
  let isEnded = false;
  const timer = setTimeout(() => {
    reason = 'ETIMEDOUT';
    socket.destroy();
  }, CONNECT_MS_MAX);
  socket.on('connect', () => {
    clearTimeout(timer);
    if (!isEnded) events.opened?.();
  });
  socket.on('data', (chunk: Buffer) => {
    if (!isEnded) events.data(chunk, chunk.length);
  });
  socket.on('drain', () => {
    if (!isEnded) events.drained?.();
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    reason = error.code ?? error.message;
  });
  socket.on('close', () => {
    clearTimeout(timer);
    events.closed(reason);
  });
  return {
    get remoteIp(): string {
      return plainIp(socket.remoteAddress);
    },
    get remotePort(): number {
      return socket.remotePort ?? target.port;
    },
    get localIp(): string {
      return plainIp(socket.localAddress);
    },
    get localPort(): number {
      return socket.localPort ?? 0;
    },
    isUnixSocket: false,
    fd: -1,
    write: (buf, size) => {
      if (isEnded || socket.destroyed) return true;
      socket.write(buf.subarray(0, size));
      return socket.writableLength === 0;
    },
    get pendingBytes(): number {
      return socket.writableLength;
    },
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    end: () => {
      isEnded = true;
      socket.destroySoon();
    },
    destroy: () => {
      isEnded = true;
      socket.destroy();
    },
  };
}
