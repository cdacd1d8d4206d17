/**
 * MIGRATE: keys as DUMP payloads to another node in one batch of RESTOREs, deleted here as each is
 * confirmed. The whole node runs no client's command meanwhile, so that no key changes on its way.
 * Divergence: redis-server stops altogether; here replication and the cluster bus go on, so that a
 * slow target makes nobody hold this node for failing.
 * Source: behaviour of MIGRATE of redis-server 7.0.15.
 */
import { type MonoMs, addMs, earlier } from '../base/index.ts';
import type { Server, Session } from '../commands/index.ts';
import { NONE, dumpValue } from '../keyspace/index.ts';
import { ReplyError, encodeRequest } from '../resp/index.ts';
import type { ClusterHost } from './cluster-host.ts';
import type { Inside } from './inside.ts';
import { MigrateTarget } from './migrate-target.ts';

type MigrateService = Server['migrator'];
type MigrateRequest = Parameters<MigrateService['start']>[1];

/** How long a connection rests before it is closed, ms. Source: 7.0, ten seconds. */
const TARGET_KEPT_MS = 10_000;
/** Connections at rest. Source: 7.0, the socket cache of MIGRATE. */
const TARGETS_MAX = 64;

const ERR_TRANSACTION = 'ERR MIGRATE is not allowed in transactions';
const ERR_CONNECT = 'IOERR error or timeout connecting to the client';
const ERR_WRITE = 'IOERR error or timeout writing to target instance';
const ERR_READ = 'IOERR error or timeout reading to target instance';

/** A key on its way. */
interface Parcel {
  readonly key: Buffer;
  readonly payload: Buffer;
  /** Milliseconds to live; 0 for ever. */
  readonly ttlMs: number;
}

interface Job {
  readonly clientId: number;
  readonly dbIndex: number;
  readonly request: MigrateRequest;
  readonly parcels: readonly Parcel[];
  target: MigrateTarget;
  /** The connection was at rest: if it proves dead, another is tried. */
  mayRetry: boolean;
  /** Replies still to come before those of the keys: AUTH and SELECT. */
  preludeLeft: number;
  nextParcel: number;
  /** AUTH or SELECT failed: no key was taken. */
  isRefused: boolean;
  error: string | undefined;
  readonly gone: Buffer[];
  deadline: MonoMs;
}

export class Migrator implements MigrateService {
  readonly #inside: Inside;
  readonly #host: ClusterHost;
  readonly #targets: Map<string, MigrateTarget> = new Map<string, MigrateTarget>();
  #job: Job | undefined;

  constructor(inside: Inside, host: ClusterHost) {
    this.#inside = inside;
    this.#host = host;
  }

  get targetCount(): number {
    return this.#targets.size;
  }

  start(session: Session, request: MigrateRequest): void {
    // Divergence: Redis migrates inside EXEC and scripts too, where here nothing may wait.
    if (session.queue !== undefined || this.#job !== undefined) {
      return session.reply.error(ERR_TRANSACTION);
    }
    const parcels = this.#pack(session.dbIndex, request.keys);
    if (parcels.length === 0) return session.reply.simple('NOKEY');
    if (session.role === 'script') return session.reply.error(ERR_TRANSACTION);
    if (request.port === 0) return session.reply.error(ERR_WRITE);
    const resting = this.#resting(request);
    this.#job = {
      clientId: session.id,
      dbIndex: session.dbIndex,
      request,
      parcels,
      target: resting ?? this.#connect(request),
      mayRetry: resting !== undefined,
      preludeLeft: 0,
      nextParcel: 0,
      isRefused: false,
      error: undefined,
      gone: [],
      deadline: this.#deadline(request),
    };
    session.blocked = { kind: 'outside', deadline: undefined };
    this.#host.stall();
    this.#send(this.#job);
  }

  /** To be called at the start of every turn. */
  tick(now: MonoMs): void {
    const job = this.#job;
    if (job !== undefined && now >= job.deadline) {
      this.#fail(job, job.target.isOpen ? ERR_READ : ERR_CONNECT);
    }
    for (const [address, target] of this.#targets) {
      if (target === this.#job?.target || now < addMs(target.lastUsedAt, TARGET_KEPT_MS)) continue;
      this.#drop(address, target);
    }
  }

  nextWake(): MonoMs | undefined {
    let next = this.#job?.deadline;
    for (const target of this.#targets.values()) {
      if (target === this.#job?.target) continue;
      next = earlier(addMs(target.lastUsedAt, TARGET_KEPT_MS), next);
    }
    return next;
  }

  /** Closes every connection; a client that waits gets no answer. */
  stop(): void {
    this.#job = undefined;
    for (const [address, target] of this.#targets) this.#drop(address, target);
  }

  #deadline(request: MigrateRequest): MonoMs {
    return addMs(this.#inside.ports.clock.monoMs(), request.timeoutMs);
  }

  /** The keys that are there, as payloads. This is no use of them and no hit. */
  #pack(dbIndex: number, keys: readonly Buffer[]): Parcel[] {
    const db = this.#inside.keyspace.db(dbIndex);
    const compression = this.#inside.settings.rdbcompression;
    const parcels: Parcel[] = [];
    for (const key of keys) {
      const ref = db.find(key, 0, key.length);
      if (ref === NONE || db.isExpired(ref)) continue;
      const expireAt = db.entries.expireAt(ref);
      parcels.push({
        key,
        payload: dumpValue(db.store, ref, { compression }),
        ttlMs: expireAt < 0 ? 0 : Math.max(1, expireAt - this.#inside.ports.clock.unixMs()),
      });
    }
    return parcels;
  }

  /** A connection kept from an earlier call, if it still stands. */
  #resting(request: MigrateRequest): MigrateTarget | undefined {
    const address = addressOf(request);
    const target = this.#targets.get(address);
    if (target?.isClosed !== true) return target;
    this.#targets.delete(address);
    return undefined;
  }

  #connect(request: MigrateRequest): MigrateTarget {
    if (this.#targets.size >= TARGETS_MAX) {
      for (const [address, target] of this.#targets) {
        this.#drop(address, target);
        break;
      }
    }
    const { host, port } = request;
    const { clock, network } = this.#inside.ports;
    const target = new MigrateTarget(network, { host, port }, clock.monoMs());
    this.#targets.set(addressOf(request), target);
    return target;
  }

  #drop(address: string, target: MigrateTarget): void {
    this.#targets.delete(address);
    target.close();
  }

  /** Everything in one go: AUTH and SELECT where needed, then a RESTORE for each key. */
  #send(job: Job): void {
    const { request, target } = job;
    const batch: Buffer[] = [];
    if (request.auth !== undefined) {
      const { user, password } = request.auth;
      batch.push(encodeRequest(user === undefined ? ['AUTH', password] : ['AUTH', user, password]));
    }
    if ((target.selectedDb ?? 0) !== request.targetDb) {
      batch.push(encodeRequest(['SELECT', String(request.targetDb)]));
    }
    job.preludeLeft = batch.length;
    const verb = this.#inside.settings['cluster-enabled'] ? 'RESTORE-ASKING' : 'RESTORE';
    for (const { key, payload, ttlMs } of job.parcels) {
      const args = [verb, key, String(ttlMs), payload];
      batch.push(encodeRequest(request.isReplacing ? [...args, 'REPLACE'] : args));
    }
    target.listener = {
      opened: () => this.#extend(job),
      reply: (reply) => this.#replied(job, reply),
      closed: () => this.#closed(job),
    };
    target.send(Buffer.concat(batch));
    this.#inside.rearm();
  }

  /** The target lives: its time to answer begins anew. */
  #extend(job: Job): void {
    job.deadline = this.#deadline(job.request);
    this.#inside.rearm();
  }

  #replied(job: Job, reply: unknown): void {
    if (job !== this.#job) return;
    this.#extend(job);
    const failure = reply instanceof ReplyError ? reply.message : undefined;
    if (failure !== undefined) {
      job.error ??= `ERR Target instance replied with error: ${failure}`;
    }
    if (job.preludeLeft > 0) {
      job.preludeLeft--;
      if (failure !== undefined) job.isRefused = true;
      return;
    }
    const { key } = job.parcels[job.nextParcel++]!;
    if (failure === undefined && !job.isRefused && !job.request.isCopy) this.#delete(job, key);
    if (job.nextParcel === job.parcels.length) this.#finish(job);
  }

  /** A replica changes nothing on its own: what happens if this node was demoted meanwhile. */
  #delete(job: Job, key: Buffer): void {
    const { keyspace } = this.#inside;
    if (keyspace.expiryMode !== 'delete') return;
    if (!keyspace.db(job.dbIndex).deleteKey(key, 0, key.length)) return;
    job.gone.push(key);
    this.#host.notifyDeleted(job.dbIndex, key);
  }

  #closed(job: Job): void {
    if (job !== this.#job) return;
    const { target } = job;
    const isUntouched = job.nextParcel === 0 && job.error === undefined;
    if (job.mayRetry && isUntouched) {
      this.#drop(addressOf(job.request), target);
      job.mayRetry = false;
      job.target = this.#connect(job.request);
      this.#extend(job);
      return this.#send(job);
    }
    this.#fail(job, target.isOpen ? ERR_READ : ERR_WRITE);
  }

  #fail(job: Job, error: string): void {
    this.#drop(addressOf(job.request), job.target);
    // What the target already said of a key counts for more.
    job.error ??= error;
    this.#answer(job);
  }

  #finish(job: Job): void {
    const { target } = job;
    target.listener = undefined;
    target.lastUsedAt = this.#inside.ports.clock.monoMs();
    if (job.error === undefined) target.selectedDb = job.request.targetDb;
    // Which database it stands in is not known any more.
    else this.#drop(addressOf(job.request), target);
    this.#answer(job);
  }

  #answer(job: Job): void {
    this.#job = undefined;
    if (job.gone.length > 0) this.#host.propagate(job.dbIndex, ['DEL', ...job.gone]);
    const client = this.#inside.client(job.clientId);
    if (client !== undefined) {
      if (job.error === undefined) client.reply.ok();
      else client.reply.error(job.error);
    }
    this.#host.resume();
    if (client !== undefined) this.#inside.unblock(client);
  }
}

function addressOf(request: MigrateRequest): string {
  return `${request.host}:${request.port}`;
}
