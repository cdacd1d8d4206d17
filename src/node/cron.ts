/** What happens by itself a few times a second: expiry, limits, samples. */
import { type MonoMs, addMs } from '../base/index.ts';
import { type Keyspace, activeExpire, expireOwnKeys } from '../keyspace/index.ts';
import type { Client } from './client.ts';
import type { Clients, CloseReason } from './clients.ts';
import type { ClusterRouter } from './dispatch-host.ts';
import type { WaitQueue } from './wait-queue.ts';
import type { DebugSwitches, LogLevel, ServerStats } from '../commands/index.ts';
import type { Settings } from '../config/index.ts';

/** Keys looked at in one slice of active expiry. Source: 7.0 expire.c, ACTIVE_EXPIRE_CYCLE_KEYS_PER_LOOP. */
const EXPIRE_KEYS_PER_SLICE = 20;
/** Share of a period that active expiry may take. Source: 7.0 expire.c, 25 % of CPU. */
const EXPIRE_TIME_SHARE = 0.25;
/** Share of a period by which a run may come early. */
const EARLY_SHARE = 0.25;
const SETTLE_ENTRIES = 1000;
/** Keys that a replica looks at a run for those that its own clients let expire. */
const OWN_EXPIRY_KEYS = 1000;

export interface CronHost {
  readonly settings: Settings;
  readonly keyspace: Keyspace;
  readonly clients: Clients;
  readonly stats: ServerStats;
  readonly now: MonoMs;
  readonly debug: DebugSwitches;
  readonly isPaused: boolean;
  readonly waits: WaitQueue;
  readonly clusterRouter: ClusterRouter | undefined;
  readonly clock: { monoUs(): number };
  readonly eviction: { sample(): void };
  log(level: LogLevel, text: string): void;
}

export class Cron {
  readonly #host: CronHost;
  nextAt: MonoMs;
  #nextDb = 0;

  constructor(host: CronHost) {
    this.#host = host;
    this.nextAt = addMs(host.now, this.#periodMs);
  }

  runIfDue(now: MonoMs): void {
    // A little early, where something else woke the node: one waking for both is cheaper.
    if (now < this.nextAt - this.#periodMs * EARLY_SHARE) return;
    this.nextAt = addMs(now, this.#periodMs);
    if (this.#host.debug.isCronPaused) return;
    const { keyspace, clients, stats, eviction } = this.#host;
    stats.sample(now);
    keyspace.recency.clock = Math.floor(keyspace.nowMs / 1000) & 0xffffff;
    eviction.sample();
    this.#expire();
    const { clusterRouter } = this.#host;
    if (clusterRouter !== undefined) {
      this.#host.waits.refuseKeys((session, blocked) =>
        clusterRouter.redirectBlocked(session, blocked),
      );
    }
    keyspace.settleSnapshots(SETTLE_ENTRIES);
    keyspace.dropSpareMemory();
    clients.enforceLimits(now, (client, why) => {
      this.#logClosing(client, why);
      client.close();
    });
  }

  #logClosing(client: Client, why: CloseReason): void {
    if (why === 'idle') return this.#host.log('warning', 'Closing idle client');
    const name = `id=${client.id} addr=${client.address}`;
    this.#host.log('warning', `Client ${name} closed for overcoming of output buffer limits.`);
  }

  get #periodMs(): number {
    return Math.max(2, Math.round(1000 / this.#host.settings.hz));
  }

  #expire(): void {
    const { keyspace, clock, stats } = this.#host;
    if (this.#host.debug.isActiveExpireOff || this.#host.isPaused) return;
    if (keyspace.expiryMode !== 'delete') return this.#expireOwn();
    const endUs = clock.monoUs() + this.#periodMs * 1000 * EXPIRE_TIME_SHARE;
    for (let i = 0; i < keyspace.databases.length; i++) {
      const db = keyspace.db(this.#nextDb);
      this.#nextDb = (this.#nextDb + 1) % keyspace.databases.length;
      if (db.volatileCount === 0) continue;
      for (;;) {
        const report = activeExpire(db, keyspace.nowMs, EXPIRE_KEYS_PER_SLICE);
        if (!report.isMoreLikely) break;
        if (clock.monoUs() > endUs) {
          stats.expiredTimeCapReached++;
          return;
        }
      }
    }
  }

  #expireOwn(): void {
    const { keyspace } = this.#host;
    if (keyspace.expiryMode !== 'hide' || !keyspace.hasOwnExpiries) return;
    for (const db of keyspace.databases) expireOwnKeys(db, OWN_EXPIRY_KEYS);
  }
}
