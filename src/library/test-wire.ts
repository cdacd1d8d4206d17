/** A wire and a network without sockets, which note what is done to them. */
import type { Network, Wire, WireEvents } from '../node/index.ts';

export class NotedWire implements Wire {
  readonly remoteIp = '127.0.0.1';
  readonly remotePort = 7001;
  readonly localIp = '127.0.0.1';
  readonly localPort = 50_000;
  readonly isUnixSocket = false;
  readonly fd = 3;
  readonly pendingBytes = 0;
  readonly done: string[] = [];
  /** Of the connection's owner. */
  readonly events: WireEvents;

  constructor(events: WireEvents) {
    this.events = events;
  }

  /** Bytes come from the peer, in a buffer that is used again at once. */
  receive(text: string): void {
    const buf = Buffer.from(text);
    this.events.data(buf, buf.length);
    buf.fill(0);
  }

  write(buf: Buffer, size: number): boolean {
    this.done.push(`write ${buf.toString('latin1', 0, size)}`);
    return true;
  }

  pause(): void {
    this.done.push('pause');
  }

  resume(): void {
    this.done.push('resume');
  }

  end(): void {
    this.done.push('end');
  }

  destroy(): void {
    this.done.push('destroy');
  }
}

export class NotedNetwork implements Network {
  readonly wires: NotedWire[] = [];

  connect(_target: object, events: WireEvents): Wire {
    const wire = new NotedWire(events);
    this.wires.push(wire);
    return wire;
  }

  /** The connection that was opened last. */
  get last(): NotedWire {
    const wire = this.wires.at(-1);
    if (wire === undefined) throw new Error('nobody connected');
    return wire;
  }
}

/** Events that note themselves. */
export function notedEvents(): { readonly heard: string[]; readonly events: WireEvents } {
  const heard: string[] = [];
  return {
    heard,
    events: {
      opened: () => heard.push('opened'),
      data: (buf, size) => heard.push(`data ${buf.toString('latin1', 0, size)}`),
      drained: () => heard.push('drained'),
      closed: (reason) => heard.push(`closed ${reason ?? 'in order'}`),
    },
  };
}
