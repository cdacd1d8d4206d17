/**
 * What clients take together, for `maxmemory` and `maxmemory-clients`: sums kept up to date client by client when
 * replies have left and long input has come, so that they can be looked at at any time however many clients there are.
 * Replies that have not left yet are not in them: what evictions tell clients must not evict more.
 * Source: 7.0 redis.conf, maxmemory-clients.
 */
import type { MonoMs } from '../base/index.ts';
import { type ServerStats, clientBytes, clientBytesMax } from '../commands/index.ts';
import type { Settings } from '../config/index.ts';
import type { Client } from './client.ts';

export class ClientMemory {
  readonly #settings: Settings;
  readonly #all: () => Iterable<Client>;
  #totalBytes = 0;
  /** Of those that may be closed for their size. */
  #evictableBytes = 0;

  constructor(settings: Settings, all: () => Iterable<Client>) {
    this.#settings = settings;
    this.#all = all;
  }

  /** Of all but replicas and masters. */
  get totalBytes(): number {
    return this.#totalBytes;
  }

  /** Whether anybody asks before the next `recountAll`. */
  get isLimited(): boolean {
    return this.#settings.maxmemory !== 0 || this.#settings['maxmemory-clients'].amount !== 0;
  }

  /** Finds what nobody told of. */
  recountAll(): void {
    for (const client of this.#all()) this.recount(client);
  }

  /** As `recountAll`, and notes the largest input and output of all clients. */
  sample(stats: ServerStats, now: MonoMs): void {
    let input = 0;
    let output = 0;
    for (const client of this.#all()) {
      this.recount(client);
      input = Math.max(input, client.inputCapacity + client.argumentBytes + client.queueBytes);
      output = Math.max(output, client.outputBytes);
    }
    stats.recentMaxInput.note(input, now);
    stats.recentMaxOutput.note(output, now);
  }

  /** The client's buffers may have changed. */
  recount(client: Client): void {
    const isCounted = client.role === 'normal' && !client.isClosed;
    const bytes = isCounted ? clientBytes(client) - client.reply.length : 0;
    this.#count(client, bytes, client.isNoEvict ? 0 : bytes);
  }

  forget(client: Client): void {
    this.#count(client, 0, 0);
  }

  #count(client: Client, bytes: number, evictable: number): void {
    this.#totalBytes += bytes - client.countedBytes;
    this.#evictableBytes += evictable - client.evictableBytes;
    client.countedBytes = bytes;
    client.evictableBytes = evictable;
  }

  /** The largest clients, so many that the others stay within `maxmemory-clients`. */
  tooLarge(): readonly Client[] {
    const bytesMax = clientBytesMax(this.#settings);
    if (this.#evictableBytes <= bytesMax) return [];
    this.recountAll();
    let rest = this.#evictableBytes;
    if (rest <= bytesMax) return [];
    const out: Client[] = [];
    for (const client of [...this.#all()].toSorted((a, b) => b.evictableBytes - a.evictableBytes)) {
      if (rest <= bytesMax) break;
      out.push(client);
      rest -= client.evictableBytes;
    }
    return out;
  }
}
