/** The connections of the cluster bus: link names of the machine to wires and back. */
import type { Input, LinkId } from '../cluster/index.ts';
import type { Network, Wire, WireEvents } from './ports.ts';

export class BusLinks {
  readonly #network: Network;
  readonly #step: (input: Input) => void;
  readonly #wires: Map<LinkId, Wire> = new Map<LinkId, Wire>();

  /** `step` hears of everything that happens on a link that has not been closed from here. */
  constructor(network: Network, step: (input: Input) => void) {
    this.#network = network;
    this.#step = step;
  }

  open(link: LinkId, host: string, port: number): void {
    let isOpen = false;
    const wire = this.#network.connect(
      { host, port, purpose: 'bus' },
      {
        opened: () => {
          isOpen = true;
          if (this.#wires.has(link)) this.#step({ kind: 'linkOpened', link });
        },
        data: (buf, size) => this.#data(link, buf, size),
        closed: () => this.#closed(link, isOpen ? 'linkClosed' : 'linkFailed'),
      },
    );
    this.#wires.set(link, wire);
  }

  accept(link: LinkId, wire: Wire): WireEvents {
    this.#wires.set(link, wire);
    const { remoteIp, localIp } = wire;
    this.#step({ kind: 'inboundLink', link, remoteIp, localIp });
    return {
      data: (buf, size) => this.#data(link, buf, size),
      closed: () => this.#closed(link, 'linkClosed'),
    };
  }

  send(link: LinkId, bytes: Buffer): void {
    this.#wires.get(link)?.write(bytes, bytes.length);
  }

  close(link: LinkId): void {
    const wire = this.#wires.get(link);
    this.#wires.delete(link);
    wire?.destroy();
  }

  closeAll(): void {
    for (const link of this.#wires.keys()) this.close(link);
  }

  pendingBytes(link: LinkId): number {
    return this.#wires.get(link)?.pendingBytes ?? 0;
  }

  #data(link: LinkId, buf: Buffer, size: number): void {
    if (!this.#wires.has(link)) return;
    this.#step({ kind: 'bytes', link, bytes: buf.subarray(0, size) });
  }

  #closed(link: LinkId, kind: 'linkClosed' | 'linkFailed'): void {
    if (this.#wires.delete(link)) this.#step({ kind, link });
  }
}
