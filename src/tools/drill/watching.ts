/** Looks at many nodes again and again, each on a connection of its own, while any of them may go and come. */
import { setTimeout as pause } from 'node:timers/promises';
import { ClientError, type NodeAddress, RespClient, formatAddress } from '../../client/index.ts';
import type { Timeline } from './timeline.ts';

/** Often enough to see the steps of a failover, seldom enough not to be a load. */
const PERIOD_MS = 50;
/** More nodes are looked at less often, so that all together cost the same. */
const NODES_AT_FULL_RATE = 6;
const REPLY_BOUND_MS = 1000;

/** Asks one node for what it says now; throws ClientError when it does not answer. */
export type Look<T> = (client: RespClient, name: string, before: T | undefined) => Promise<T>;

/** Begins to look at each of `addresses`; the function that comes back ends it. Resolves after the first look at all. */
export async function watchEach<T>(
  addresses: readonly NodeAddress[],
  timeline: Timeline,
  look: Look<T>,
): Promise<() => void> {
  const periodMs = PERIOD_MS * Math.max(1, addresses.length / NODES_AT_FULL_RATE);
  const watchers = addresses.map((address) => new Watcher(address, timeline, look));
  await Promise.all(watchers.map((watcher) => watcher.lookOnce()));
  for (const watcher of watchers) void watcher.run(periodMs);
  return () => {
    for (const watcher of watchers) watcher.stop();
  };
}

class Watcher<T> {
  readonly #address: NodeAddress;
  readonly #name: string;
  readonly #timeline: Timeline;
  readonly #look: Look<T>;
  #client: RespClient | undefined;
  #last: T | undefined;
  #isSilent = false;
  #isStopped = false;

  constructor(address: NodeAddress, timeline: Timeline, look: Look<T>) {
    this.#address = address;
    this.#name = formatAddress(address);
    this.#timeline = timeline;
    this.#look = look;
  }

  stop(): void {
    this.#isStopped = true;
    this.#client?.close();
  }

  async run(periodMs: number): Promise<void> {
    while (!this.#isStopped) {
      await pause(periodMs);
      await this.lookOnce();
    }
  }

  async lookOnce(): Promise<void> {
    const hadConnection = this.#client !== undefined;
    try {
      this.#client ??= await RespClient.connect({
        ...this.#address,
        db: 0,
        timeoutMs: REPLY_BOUND_MS,
      });
      this.#last = await this.#look(this.#client, this.#name, this.#last);
      this.#tell(false, 'back', `${this.#name} answers again`);
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      this.#client?.close();
      this.#client = undefined;
      // A node that changes its role closes connections, and is not silent for that.
      if (hadConnection && error.code === 'CLOSED') return this.lookOnce();
      this.#tell(true, 'silent', `${this.#name} does not answer`);
    }
    if (this.#isStopped) this.#client?.close();
  }

  #tell(isSilent: boolean, kind: string, text: string): void {
    if (this.#isSilent === isSilent || this.#isStopped) return;
    this.#isSilent = isSilent;
    this.#timeline.add('drill', kind, text);
  }
}
