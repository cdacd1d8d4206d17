/**
 * What clients take together, for `maxmemory-clients`: a sum kept up to date client by client, so that it can be looked
 * at in each turn however many there are. Costs nothing while that limit is off.
 * Source: 7.0 redis.conf, maxmemory-clients.
 */
import { clientBytes, clientBytesMax } from '../commands/index.ts';
import type { Settings } from '../config/index.ts';
import type { Client } from './client.ts';

export class ClientMemory {
  readonly #settings: Settings;
  readonly #all: () => Iterable<Client>;
  #bytesMax = Infinity;
  #total = 0;

  constructor(settings: Settings, all: () => Iterable<Client>) {
    this.#settings = settings;
    this.#all = all;
    this.recountAll();
  }

  get isLimited(): boolean {
    return this.#bytesMax !== Infinity;
  }

  /** The settings may have changed, or buffers that nobody told of. */
  recountAll(): void {
    this.#bytesMax = clientBytesMax(this.#settings);
    if (this.isLimited) for (const client of this.#all()) this.recount(client);
  }

  /** The client's buffers have changed. */
  recount(client: Client): void {
    const bytes = isEvictable(client) ? clientBytes(client) : 0;
    this.#total += bytes - client.countedBytes;
    client.countedBytes = bytes;
  }

  forget(client: Client): void {
    this.#total -= client.countedBytes;
    client.countedBytes = 0;
  }

  /** The largest clients, so many that the others stay within the limit. */
  tooMany(): readonly Client[] {
    if (this.#total <= this.#bytesMax) return [];
    this.recountAll();
    let rest = this.#total;
    if (rest <= this.#bytesMax) return [];
    const bySize = [...this.#all()].toSorted((a, b) => b.countedBytes - a.countedBytes);
    const out: Client[] = [];
    for (const client of bySize) {
      if (rest <= this.#bytesMax) break;
      out.push(client);
      rest -= client.countedBytes;
    }
    return out;
  }
}

function isEvictable(client: Client): boolean {
  return !client.isNoEvict && !client.isClosed && client.role === 'normal';
}
