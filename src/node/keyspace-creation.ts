/** The keyspace of a node, and what the node does when keys expire or change. */
import type { Rng, Slot } from '../base/index.ts';
import type { PubSub } from '../commands/index.ts';
import { KEYSPACE_EVENT, type Settings } from '../config/index.ts';
import { Keyspace, type TouchMemory } from '../keyspace/index.ts';
import { notifyKeyspace } from './call-context.ts';
import type { Propagation } from './propagation.ts';
import type { TrackedCalls } from './tracked-calls.ts';
import type { WaitQueue } from './wait-queue.ts';
import type { Watches } from './watches.ts';

/** What the cluster knows of slots. */
interface SlotFacts {
  isImported(slot: Slot): boolean;
  readonly hiddenSlots: ReadonlySet<number>;
}

export interface KeyspaceOwner {
  readonly rng: Rng;
  readonly ports: { readonly touchMemory?: TouchMemory };
  readonly settings: Settings;
  readonly pubsub: PubSub;
  readonly propagation: Propagation;
  readonly waits: WaitQueue;
  /** Writes wait: the data must not change. */
  readonly isPaused: boolean;
  /** Keys that move here expire at their source only, and nobody sees them. */
  readonly cluster: { readonly machine: SlotFacts } | undefined;
  /** Large values were deleted: frees them in the background. */
  collectRubbish(): void;
}

/** An empty keyspace of the shape that the settings ask for. */
export function createKeyspace(
  owner: KeyspaceOwner,
  watches: Watches,
  tracked: TrackedCalls,
): Keyspace {
  const { settings } = owner;
  const isCluster = settings['cluster-enabled'];
  return new Keyspace({
    rng: owner.rng,
    clusterMode: isCluster,
    databases: isCluster ? 1 : settings.databases,
    limits: settings,
    touchMemory: owner.ports.touchMemory,
    hooks: {
      expired: (dbIndex, buf, at, size) => {
        watches.isExpiring = !watches.isEmpty;
        const key = Buffer.from(buf.subarray(at, at + size));
        passOnExpiry(owner, dbIndex, key);
      },
      touched: (dbIndex, buf, at, size) => {
        watches.touched(dbIndex, buf, at, size);
        tracked.touched(buf, at, size);
      },
      replaced: (dbIndex) => {
        watches.replaced(dbIndex);
        tracked.replaced();
        owner.waits.signalAll(dbIndex);
      },
      ready: (dbIndex, buf, at, size) => owner.waits.signal(dbIndex, buf, at, size),
      mayExpire: (slot) =>
        !owner.isPaused && owner.cluster?.machine.isImported(slot as Slot) !== true,
      hiddenSlots: () => owner.cluster?.machine.hiddenSlots,
      rubbish: () => owner.collectRubbish(),
    },
  });
}

/** Replicas do not expire keys by themselves: they are told. */
function passOnExpiry(owner: KeyspaceOwner, dbIndex: number, key: Buffer): void {
  const { settings, propagation } = owner;
  propagation.addArgs(dbIndex, [settings['lazyfree-lazy-expire'] ? 'UNLINK' : 'DEL', key]);
  const wanted = settings['notify-keyspace-events'];
  if ((wanted & KEYSPACE_EVENT.x) === 0) return;
  notifyKeyspace(owner, { wanted, event: 'expired', dbIndex }, key);
}
