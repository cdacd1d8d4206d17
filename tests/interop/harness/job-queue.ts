/**
 * A job queue as libraries build it on Redis, without scripts: a hash for each job, a list of those that wait and one of
 * those in work, a sorted set of those that come later, and a stream of events. All keys share a hash tag.
 */
import type { Cluster, Redis } from 'ioredis';

const TAKE_SECONDS = 0.1;
const EVENT_COUNT_MAX = 10_000;

export type Connection = Redis | Cluster;

export interface JobOptions {
  /** Milliseconds until the job may start; default 0. */
  readonly delayMs?: number;
  /** How often it is tried; default 1. */
  readonly attempts?: number;
  /** Milliseconds before the second try, doubled each time; default 0. */
  readonly backoffMs?: number;
}

export type Handler = (data: string, id: string) => Promise<string> | string;

export class JobQueue {
  readonly #name: string;
  readonly #client: Connection;

  /** `client` is for commands that do not block and for transactions one after the other. */
  constructor(name: string, client: Connection) {
    this.#name = name;
    this.#client = client;
  }

  key(part: string): string {
    return `{${this.#name}}:${part}`;
  }

  /** Adds a job and answers its id, once the server has acknowledged it. */
  async add(data: string, options: JobOptions = {}): Promise<string> {
    const { delayMs = 0, attempts = 1, backoffMs = 0 } = options;
    const id = String(await this.#client.incr(this.key('id')));
    const work = this.#client.multi().hset(this.#job(id), { data, attempts, backoffMs, tries: 0 });
    if (delayMs > 0) work.zadd(this.key('delayed'), Date.now() + delayMs, id);
    else work.lpush(this.key('wait'), id);
    this.#tell(work, delayMs > 0 ? 'delayed' : 'waiting', id);
    await committed(work);
    return id;
  }

  /** Takes the job that has waited longest, for as long as the lock holds; undefined when none comes soon. */
  async take(blocking: Connection, lockMs: number): Promise<string | undefined> {
    const [wait, active] = [this.key('wait'), this.key('active')];
    const id = await blocking
      .blmove(wait, active, 'RIGHT', 'LEFT', TAKE_SECONDS)
      .catch(nothingIfUnblocked);
    if (id === null) return undefined;
    await committed(
      this.#client
        .multi()
        .set(this.key(`lock:${id}`), '1', 'PX', lockMs)
        .hincrby(this.#job(id), 'tries', 1),
    );
    return id;
  }

  /** Runs the handler on a job that was taken, and writes down how it ended: done, tried again later, or given up. */
  async process(id: string, handler: Handler): Promise<void> {
    const { data = '', attempts, backoffMs, tries } = await this.#client.hgetall(this.#job(id));
    const work = this.#client
      .multi()
      .lrem(this.key('active'), 1, id)
      .del(this.key(`lock:${id}`));
    try {
      const result = await handler(data, id);
      work.hset(this.#job(id), 'result', result).zadd(this.key('completed'), Date.now(), id);
      this.#tell(work, 'completed', id);
    } catch (error) {
      work.hset(this.#job(id), 'error', String(error));
      if (Number(tries) < Number(attempts)) {
        const backoff = Number(backoffMs) * 2 ** (Number(tries) - 1);
        work.zadd(this.key('delayed'), Date.now() + backoff, id);
        this.#tell(work, 'retrying', id);
      } else {
        work.zadd(this.key('failed'), Date.now(), id);
        this.#tell(work, 'failed', id);
      }
    }
    await committed(work);
  }

  /** Moves what is due from the delayed jobs to the waiting ones. False when another mover came in between. */
  async promote(watching: Connection): Promise<boolean> {
    const delayed = this.key('delayed');
    await watching.watch(delayed);
    const due = await watching.zrangebyscore(delayed, '-inf', Date.now(), 'LIMIT', 0, 100);
    const work = watching.multi().zcard(delayed);
    for (const id of due) {
      work.zrem(delayed, id).lpush(this.key('wait'), id);
      this.#tell(work, 'waiting', id);
    }
    return (await work.exec()) !== null;
  }

  /** Puts jobs in work whose lock has run out back in front of those that wait; answers their ids. */
  async recoverStalled(): Promise<string[]> {
    const stalled: string[] = [];
    for (const id of await this.#client.lrange(this.key('active'), 0, -1)) {
      if ((await this.#client.exists(this.key(`lock:${id}`))) === 1) continue;
      const work = this.#client.multi().lrem(this.key('active'), 1, id).rpush(this.key('wait'), id);
      this.#tell(work, 'stalled', id);
      await committed(work);
      stalled.push(id);
    }
    return stalled;
  }

  /** Takes and processes jobs one after the other until `isOver` says so. */
  async work(blocking: Connection, handler: Handler, isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      const id = await this.take(blocking, 30_000);
      if (id !== undefined) await this.process(id, handler);
    }
  }

  job(id: string): Promise<Record<string, string>> {
    return this.#client.hgetall(this.#job(id));
  }

  /** Names of what happened to a job, in order. */
  async events(id: string): Promise<string[]> {
    const entries = await this.#client.xrange(this.key('events'), '-', '+');
    return entries.flatMap(([, [, event = '', , of]]) => (of === id ? [event] : []));
  }

  #job(id: string): string {
    return this.key(`job:${id}`);
  }

  #tell(work: ReturnType<Connection['multi']>, event: string, id: string): void {
    const limit = ['MAXLEN', '~', EVENT_COUNT_MAX] as const;
    work.xadd(this.key('events'), ...limit, '*', 'event', event, 'job', id);
  }
}

/** A master that becomes a replica sends away who waits there: nothing was taken, and the next try finds the new master. */
export function nothingIfUnblocked(error: unknown): null {
  if (error instanceof Error && error.message.startsWith('UNBLOCKED ')) return null;
  throw error;
}

/** Executes a transaction; an error of any command in it is thrown. */
async function committed(work: ReturnType<Connection['multi']>): Promise<void> {
  const results = await work.exec();
  if (results === null) throw new Error('Cannot commit: a watched key has changed');
  for (const [error] of results) if (error !== null) throw error;
}
