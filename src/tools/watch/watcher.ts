/**
 * Watches a deployment: finds its nodes from the seeds, asks each of them once a period, and tells listeners of every
 * snapshot and every event. A node that hangs delays nobody but itself.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { keySlot } from '../../base/index.ts';
import {
  ClientError,
  type NodeAddress,
  type RespClient,
  connectSentinel,
  formatAddress,
  replyFacts,
  serverMode,
} from '../../client/index.ts';
import type { Reply } from '../../resp/index.ts';
import { LOCK_KEY } from '../cluster/index.ts';
import { ToolError, asToolError } from '../errors.ts';
import { clusterMembers, clusterSnapshot } from './cluster-snapshot.ts';
import { eventsBetween } from './events.ts';
import type { DeploymentKind, EventDraft, WatchEvent, WatchSnapshot } from './model.ts';
import { Probe } from './probe.ts';
import { replicationMembers, replicationSnapshot } from './replication-snapshot.ts';
import { SentinelProbe } from './sentinel-probe.ts';
import { journalsFor, workOf } from './work.ts';
import { noticesAbout } from '../run-notice.ts';

export interface WatchOptions {
  /** Any nodes of the deployment, or its Sentinels. */
  readonly seeds: readonly NodeAddress[];
  /** Of what Sentinels watch, only this master; undefined for all. */
  readonly masterName: string | undefined;
  /** Between two polls, milliseconds. */
  readonly intervalMs: number;
  /** Where to look for journals of running operations. */
  readonly journalFolder: string;
}

export interface WatchListener {
  readonly onSnapshot: (snapshot: WatchSnapshot) => void;
  readonly onEvent: (event: WatchEvent) => void;
}

export const WATCH_INTERVAL_MS = 1000;
/** Bound for connecting and for a reply. */
const TIMEOUT_MS = 2000;
/** How long a look waits for slow nodes, milliseconds. */
const PATIENCE_MS = 500;
/** Looks until the nodes are known. */
const FIRST_LOOKS_MAX = 6;
/** Older events are forgotten. */
const EVENTS_MAX = 1000;
/** In a cluster of more nodes than this only masters are asked for their view, which grows with the cluster. */
const VIEWS_MAX = 24;
const LOCK_SLOT = keySlot(Buffer.from(LOCK_KEY), 0, LOCK_KEY.length);

/** What readers of a watcher need of it. */
export type Watched = Pick<Watcher, 'snapshot' | 'events' | 'listen' | 'addresses' | 'ask'>;

export class Watcher {
  readonly #options: WatchOptions;
  readonly #kind: DeploymentKind;
  readonly #like: NodeAddress;
  readonly #probes: Map<string, Probe> = new Map();
  readonly #sentinels: Map<string, SentinelProbe> = new Map();
  readonly #listeners: Set<WatchListener> = new Set();
  readonly #events: WatchEvent[] = [];
  readonly #ending: AbortController = new AbortController();
  #eventCount = 0;
  #snapshot: WatchSnapshot | undefined;
  #running: Promise<void> = Promise.resolve();
  /** The nodes are known, so that from here on what is new has happened. */
  #isSettled = false;

  private constructor(options: WatchOptions, kind: DeploymentKind, like: NodeAddress) {
    this.#options = options;
    this.#kind = kind;
    this.#like = like;
  }

  /** Finds out what the seeds are and takes the first look. Throws ToolError when no seed answers. */
  static async open(options: WatchOptions): Promise<Watcher> {
    const { kind, at } = await firstAnswer(options.seeds);
    const watcher = new Watcher(options, kind, at);
    for (const seed of options.seeds) {
      if (kind === 'sentinel') watcher.#addSentinel(seed);
      else watcher.#addProbe(seed);
    }
    // A look finds nodes that only the next one asks: of Sentinels masters, of those replicas, of those theirs.
    for (let looks = 0, known = 0; looks < FIRST_LOOKS_MAX; looks++) {
      if (looks > 1 && watcher.addresses().length === known) break;
      known = watcher.addresses().length;
      await watcher.#look();
    }
    watcher.#isSettled = true;
    watcher.#running = watcher.#run();
    return watcher;
  }

  /** The last look. */
  get snapshot(): WatchSnapshot {
    if (this.#snapshot === undefined) throw new Error('A watcher looks before it is given away');
    return this.#snapshot;
  }

  /** The last events, oldest first. */
  get events(): readonly WatchEvent[] {
    return this.#events;
  }

  /** Tells of every snapshot and event from now on; answers how to end that. */
  listen(listener: WatchListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Adds an event of whoever uses the watcher. */
  tell(draft: EventDraft): void {
    const event: WatchEvent = { id: ++this.#eventCount, atUnixMs: Date.now(), ...draft };
    if (this.#events.length === EVENTS_MAX) this.#events.shift();
    this.#events.push(event);
    for (const { onEvent } of this.#listeners) onEvent(event);
  }

  /** Nodes and Sentinels that are asked. */
  addresses(): string[] {
    return [...this.#probes.keys(), ...this.#sentinels.keys()];
  }

  /**
   * Sends commands to the node or Sentinel at `address`, over the connection that watches it. Error replies are values;
   * rejects with ClientError.
   */
  ask(address: string, commands: readonly (readonly string[])[]): Promise<readonly Reply[]> {
    const probe = this.#probes.get(address) ?? this.#sentinels.get(address);
    if (probe === undefined) {
      throw new ClientError('NO_NODE', `Cannot ask ${address}: it is not watched`);
    }
    return probe.ask(commands);
  }

  async close(): Promise<void> {
    this.#ending.abort();
    for (const probe of [...this.#probes.values(), ...this.#sentinels.values()]) probe.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending;
    let dueMs = performance.now();
    while (!signal.aborted) {
      dueMs = Math.max(dueMs + this.#options.intervalMs, performance.now());
      await pauseUntil(dueMs, signal);
      if (!signal.aborted) await this.#look();
    }
  }

  async #look(): Promise<void> {
    const polls = [...this.#probes.values()].map((probe) => probe.poll(this.#wishFor(probe)));
    const asked = [...polls, ...[...this.#sentinels.values()].map((each) => each.poll())];
    // A node that hangs is waited for by its own probe.
    const patience = new AbortController();
    await Promise.race([
      Promise.all(asked),
      pause(this.#patienceMs(), undefined, { signal: patience.signal }).catch(() => undefined),
    ]);
    patience.abort();
    if (this.#ending.signal.aborted) return;
    this.#follow();
    this.#publish();
  }

  /** At the first look nobody is known to be silent. */
  #patienceMs(): number {
    return this.#isSettled ? Math.min(this.#options.intervalMs, PATIENCE_MS) : TIMEOUT_MS;
  }

  #wishFor(probe: Probe): Parameters<Probe['poll']>[0] {
    const isCluster = this.#kind === 'cluster';
    const node = this.#snapshot?.nodes.find(({ address }) => address === probe.address);
    const isMaster = node === undefined || node.role === 'master';
    const ownsLock =
      node?.role === 'master' &&
      node.slots.some(([first, last]) => first <= LOCK_SLOT && LOCK_SLOT <= last);
    return {
      isCluster,
      wantsView: isCluster && (isMaster || this.#probes.size <= VIEWS_MAX),
      key: ownsLock ? LOCK_KEY : undefined,
    };
  }

  /** Asks those who are there now: new nodes are added, nodes that left are no longer asked. */
  #follow(): void {
    const probes = [...this.#probes.values()];
    const sentinels = [...this.#sentinels.values()];
    for (const { sample } of sentinels) {
      for (const peer of sample?.peers ?? []) this.#addSentinel(this.#atAddress(peer));
    }
    const members =
      this.#kind === 'cluster'
        ? clusterMembers(probes).map(({ address }) => address)
        : replicationMembers(probes, sentinels);
    for (const address of members) this.#addProbe(this.#atAddress(address));
    if (members.length === 0 || this.#kind !== 'cluster') return;
    for (const [address, probe] of this.#probes) {
      if (members.includes(address)) continue;
      probe.close();
      this.#probes.delete(address);
    }
  }

  #publish(): void {
    const probes = [...this.#probes.values()];
    const [seed] = this.#options.seeds;
    const facts = {
      atUnixMs: Date.now(),
      name: seed === undefined ? '' : formatAddress(seed),
      work: [],
    };
    const bare =
      this.#kind === 'cluster'
        ? clusterSnapshot(probes, facts)
        : replicationSnapshot(probes, [...this.#sentinels.values()], facts);
    const lock = probes.find(({ keyText, failure }) => keyText !== undefined && !failure)?.keyText;
    const journals =
      this.#kind === 'cluster' ? journalsFor(this.#options.journalFolder, bare.nodes) : [];
    const notices = noticesAbout([...bare.nodes, ...bare.sentinels].map(({ address }) => address));
    const snapshot = { ...bare, work: workOf(bare.nodes, { lock, journals, notices }) };
    const before = this.#snapshot;
    this.#snapshot = snapshot;
    if (this.#isSettled && before !== undefined) {
      for (const draft of eventsBetween(before, snapshot)) this.tell(draft);
    }
    for (const { onSnapshot } of this.#listeners) onSnapshot(snapshot);
  }

  #addProbe(at: NodeAddress): void {
    const address = formatAddress(at);
    if (!this.#probes.has(address)) this.#probes.set(address, new Probe(at, TIMEOUT_MS));
  }

  #addSentinel(at: NodeAddress): void {
    const address = formatAddress(at);
    if (this.#sentinels.has(address)) return;
    const { masterName } = this.#options;
    const onEvent = (event: EventDraft): void => this.tell(event);
    this.#sentinels.set(
      address,
      new SentinelProbe({ at, timeoutMs: TIMEOUT_MS, masterName, onEvent }),
    );
  }

  /** With the credentials of the seed that answered. */
  #atAddress(address: string): NodeAddress {
    const colon = address.lastIndexOf(':');
    const host = address.slice(0, colon).replace(/^\[|\]$/g, '');
    return { ...this.#like, host, port: Number(address.slice(colon + 1)) };
  }
}

/** What the first seed that answers is. */
async function firstAnswer(
  seeds: readonly NodeAddress[],
): Promise<{ readonly kind: DeploymentKind; readonly at: NodeAddress }> {
  let failure: unknown;
  for (const at of seeds) {
    let client: RespClient | undefined;
    try {
      // What it is shows only now, and a Sentinel may have no password where its masters have one.
      client = await connectSentinel({ ...at, db: 0, timeoutMs: TIMEOUT_MS });
      const mode = serverMode(replyFacts(await client.call('INFO', 'server')));
      const others = mode === 'sentinel' ? 'sentinel' : 'replication';
      return { kind: mode === 'cluster' ? 'cluster' : others, at };
    } catch (error) {
      failure ??= asToolError(error, client?.name);
      if (!(failure instanceof ToolError)) throw error;
    } finally {
      client?.close();
    }
  }
  throw failure ?? new ToolError('USAGE', 'No node to ask: name one as host:port');
}

async function pauseUntil(dueMs: number, signal: AbortSignal): Promise<void> {
  try {
    await pause(Math.max(0, dueMs - performance.now()), undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
