/** What happens by itself a few times a second: expiry, limits, samples. */
import { type MonoMs, addMs } from '../base/index.ts';
import { type ExpiryPace, type Keyspace, activeExpire, expireOwnKeys } from '../keyspace/index.ts';
import type { Client } from './client.ts';
import type { Clients, CloseReason } from './clients.ts';
import type { ClusterRouter } from './dispatch-host.ts';
import type { WaitQueue } from './wait-queue.ts';
import type { DebugSwitches, LogLevel, ServerStats } from '../commands/index.ts';
import type { Settings } from '../config/index.ts';

/** What of past cycles stays in the running average of stale keys. Source: 7.0 expire.c. */
const STALE_KEPT = 0.95;
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
    const startUs = clock.monoUs();
    const share = this.#expireAll(startUs);
    stats.expireCycleUs += clock.monoUs() - startUs;
    stats.expiredStalePercent =
      stats.expiredStalePercent * STALE_KEPT + share * 100 * (1 - STALE_KEPT);
  }

  /** Share of the keys looked at that were expired. */
  #expireAll(startUs: number): number {
    const { keyspace, clock, settings, stats } = this.#host;
    const effort = expiryEffort(settings['active-expire-effort']);
    const endUs = startUs + this.#periodMs * 1000 * effort.timeShare;
    let looked = 0;
    let expired = 0;
    const { databases } = keyspace;
    for (let i = 0; i < databases.length; i++) {
      const db = keyspace.db(this.#nextDb);
      this.#nextDb = (this.#nextDb + 1) % databases.length;
      for (let isMoreLikely = db.volatileCount > 0; isMoreLikely;) {
        const report = activeExpire(db, keyspace.nowMs, effort);
        isMoreLikely = report.isMoreLikely;
        looked += report.looked;
        expired += report.expired;
        if (isMoreLikely && clock.monoUs() > endUs) {
          stats.expiredTimeCapReached++;
          return shareOf(expired, looked);
        }
      }
    }
    return shareOf(expired, looked);
  }

  #expireOwn(): void {
    const { keyspace } = this.#host;
    if (keyspace.expiryMode !== 'hide' || !keyspace.hasOwnExpiries) return;
    for (const db of keyspace.databases) expireOwnKeys(db, OWN_EXPIRY_KEYS);
  }
}

function shareOf(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

/** What an effort of 1 to 10 means. Source: 7.0 redis.conf, active-expire-effort; expire.c. */
function expiryEffort(effort: number): ExpiryPace & { readonly timeShare: number } {
  const more = effort - 1;
  return {
    keysPerLoop: 20 + 5 * more,
    acceptableShare: (10 - more) / 100,
    timeShare: (25 + 2 * more) / 100,
  };
}
