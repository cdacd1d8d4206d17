/** What a node does for its cluster part and for MIGRATE. */
import type { MonoMs } from '../base/index.ts';
import type { PubSub } from '../commands/index.ts';
import { KEYSPACE_EVENT, type Settings } from '../config/index.ts';
import { notifyKeyspace } from './call-context.ts';
import type { Clients } from './clients.ts';
import type { ClusterHost } from './cluster-host.ts';
import type { Propagation } from './propagation.ts';

export interface ClusterDeskOwner {
  readonly settings: Settings;
  readonly clients: Clients;
  readonly pubsub: PubSub;
  readonly propagation: Propagation;
  rearm(): void;
  /** Clients whose requests waited go on at the end of the turn. */
  resumeSoon(): void;
  halt(): void;
}

export class ClusterDesk implements ClusterHost {
  readonly #owner: ClusterDeskOwner;

  constructor(owner: ClusterDeskOwner) {
    this.#owner = owner;
  }

  pauseWrites(until: MonoMs): void {
    this.#owner.clients.pauseForFailover(until);
    this.#owner.rearm();
  }

  unpauseWrites(): void {
    this.#owner.clients.unpauseForFailover();
  }

  stall(): void {
    this.#owner.clients.isStalled = true;
  }

  resume(): void {
    this.#owner.clients.isStalled = false;
    this.#owner.resumeSoon();
  }

  releaseWrites(): void {
    this.#owner.resumeSoon();
  }

  publishLocal(channel: Buffer, message: Buffer, isShard: boolean): void {
    const { pubsub } = this.#owner;
    if (isShard) pubsub.publishShard(channel, message);
    else pubsub.publish(channel, message);
  }

  dropShardChannels(isServed: (slot: number) => boolean): void {
    this.#owner.pubsub.dropShardChannels(isServed);
  }

  propagate(dbIndex: number, args: readonly (Buffer | string)[]): void {
    this.#owner.propagation.addArgs(dbIndex, args);
  }

  notifyDeleted(dbIndex: number, key: Buffer): void {
    const wanted = this.#owner.settings['notify-keyspace-events'];
    if ((wanted & KEYSPACE_EVENT.g) === 0) return;
    notifyKeyspace(this.#owner, { wanted, event: 'del', dbIndex }, key);
  }

  halt(): void {
    this.#owner.halt();
  }
}
