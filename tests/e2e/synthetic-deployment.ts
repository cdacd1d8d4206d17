/** A cluster that is nowhere, for the page: as many nodes as wanted, with figures that change at every look. */
import { SLOT_COUNT } from '../../src/base/index.ts';
import type {
  NodeSnapshot,
  WatchEvent,
  WatchSnapshot,
  Watched,
} from '../../src/tools/watch/index.ts';

type Listener = Parameters<Watched['listen']>[0];

const REPLICAS = 2;

export class SyntheticDeployment implements Watched {
  readonly events: WatchEvent[] = [];
  readonly #masters: number;
  readonly #listeners: Set<Listener> = new Set();
  #looks = 0;
  snapshot: WatchSnapshot;

  constructor(masters: number) {
    this.#masters = masters;
    this.snapshot = this.#look();
  }

  /** One more look, and an event. */
  tick(): void {
    this.snapshot = this.#look();
    const event: WatchEvent = {
      id: this.#looks,
      atUnixMs: this.snapshot.atUnixMs,
      kind: 'vote',
      tone: 'info',
      node: this.snapshot.nodes[this.#looks % this.snapshot.nodes.length]?.address,
      text: 'voted',
    };
    this.events.push(event);
    for (const listener of this.#listeners) {
      listener.onEvent(event);
      listener.onSnapshot(this.snapshot);
    }
  }

  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  addresses(): string[] {
    return [];
  }

  ask(): Promise<never> {
    return Promise.reject(new Error('there is nobody to ask'));
  }

  #look(): WatchSnapshot {
    this.#looks++;
    const nodes: NodeSnapshot[] = [];
    for (let shard = 0; shard < this.#masters; shard++) {
      for (let member = 0; member <= REPLICAS; member++) nodes.push(this.#node(shard, member));
    }
    return {
      atUnixMs: Date.now(),
      kind: 'cluster',
      name: '10.0.0.1:7000',
      state: 'ok',
      currentEpoch: this.#masters,
      slotsAssigned: SLOT_COUNT,
      nodes,
      sentinels: [],
      work: [],
    };
  }

  #node(shard: number, member: number): NodeSnapshot {
    const isMaster = member === 0;
    const share = SLOT_COUNT / this.#masters;
    const first = Math.round(shard * share);
    const last = Math.round((shard + 1) * share) - 1;
    const wave = 1 + Math.sin(this.#looks / 7 + shard);
    return {
      id: idOf(shard, member),
      address: `10.0.${shard}.${member + 1}:7000`,
      role: isMaster ? 'master' : 'replica',
      masterId: isMaster ? undefined : idOf(shard, 0),
      group: undefined,
      health: 'ok',
      failure: undefined,
      slots: isMaster ? [[first, last]] : [],
      open: [],
      configEpoch: shard + 1,
      stats: {
        software: 'Redis 7.0.15',
        runId: 'x',
        uptimeSeconds: this.#looks,
        offset: this.#looks * 1000,
        lagBytes: isMaster ? undefined : (this.#looks * 7) % 50,
        isLinkUp: true,
        isSyncing: false,
        keys: 100_000 + shard,
        clients: 20,
        usedBytes: 50e6 + 1e6 * wave,
        maxBytes: 0,
        opsPerSecond: (isMaster ? 20_000 : 9000) * wave,
        inBytesPerSecond: 1e6,
        outBytesPerSecond: 2e6,
        latencyMs: 0.2 * wave,
        votes: 0,
        elections: 0,
        copiers: [],
      },
    };
  }
}

function idOf(shard: number, member: number): string {
  return `${shard}-${member}`.padStart(40, '0');
}
