/** The serving side against scripts of what replicas do; what it sends is compared byte for byte. */
import { expect, test } from 'vitest';
import { type MonoMs, monoMs, replid, seededRng } from '../base/index.ts';
import {
  DEFAULT_SOURCE_OPTIONS,
  NO_DB,
  ReplicationHistory,
  ReplicationSource,
  type SourceEffect,
  type SourceOptions,
  encodeCommand,
} from './index.ts';

const OWN = 'b'.repeat(40);

class Bench {
  now: MonoMs = monoMs(10_000);
  readonly history: ReplicationHistory = new ReplicationHistory({
    replid: replid(OWN),
    backlogBytes: 1 << 20,
  });
  readonly source: ReplicationSource;
  readonly #sent: Map<number, string> = new Map();
  readonly effects: SourceEffect[] = [];
  /** Replicas for which there is stream since their last turn. */
  readonly #wanting: Set<number> = new Set();
  /** Clients whose sockets take no more. */
  readonly full: Set<number> = new Set();

  constructor(options: Partial<SourceOptions> = {}) {
    this.source = new ReplicationSource({
      history: this.history,
      rng: seededRng(5),
      options: { ...DEFAULT_SOURCE_OPTIONS, ...options },
      sink: {
        send: (client, buf, at, size) =>
          this.#sent.set(
            client,
            (this.#sent.get(client) ?? '') + buf.toString('latin1', at, at + size),
          ),
        wantsStream: (client) => this.#wanting.add(client),
        hasRoom: (client) => !this.full.has(client),
      },
    });
  }

  /** What was sent to `client` since the last call. */
  sent(client: number): string {
    if (this.#wanting.delete(client)) this.source.sendStream(client);
    const text = this.#sent.get(client) ?? '';
    this.#sent.delete(client);
    return text;
  }

  replconf(client: number, ...words: readonly string[]): string {
    const args = words.map((word) => Buffer.from(word));
    const { result, effects } = this.source.replconf(this.now, { client, ip: '10.0.0.1' }, args);
    this.effects.push(...effects);
    return result.kind === 'error' ? result.text : result.kind;
  }

  hello(client: number): void {
    this.replconf(client, 'listening-port', String(7000 + client));
    this.replconf(client, 'capa', 'eof', 'capa', 'psync2');
  }

  sync(client: number, asked: { replid: string; offset: number } | undefined): void {
    this.#take(
      this.source.step(this.now, {
        kind: 'sync',
        peer: { client, ip: '10.0.0.1' },
        asked,
        upstream: 'none',
      }),
    );
  }

  psync(client: number, id = '?', offset = -1): void {
    this.sync(client, { replid: id, offset });
  }

  close(client: number): void {
    this.#take(this.source.step(this.now, { kind: 'closed', client }));
  }

  snapshot(job: number, text: string, isComplete = true): void {
    this.source.snapshotBytes(job, Buffer.from(text), 0, text.length);
    this.#take(this.source.step(this.now, { kind: 'snapshotEnded', job, isComplete }));
  }

  /** Lets time pass, ticking whenever the machine asks for it. */
  pass(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const wake = this.source.nextWake();
      if (wake === undefined || wake > end) break;
      this.now = monoMs(Math.max(this.now, wake));
      this.#take(this.source.step(this.now, { kind: 'tick' }));
    }
    this.now = monoMs(end);
  }

  write(db: number, text: string): void {
    this.source.feed(db, Buffer.from(text), 0, text.length);
  }

  #take(effects: readonly SourceEffect[]): void {
    this.effects.push(...effects);
  }

  /** Effects since the last call, log apart. */
  done(): SourceEffect[] {
    return this.effects.splice(0).filter((effect) => effect.kind !== 'log');
  }

  events(): string[] {
    const events = this.effects.flatMap((effect) =>
      effect.kind === 'log' ? [effect.event.name] : [],
    );
    this.effects.length = 0;
    return events;
  }
}

const SELECT_0 = '*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n';

test('a full synchronization streams the snapshot, and holds writes until it is acknowledged', () => {
  const bench = new Bench();
  bench.hello(1);
  bench.psync(1);
  expect(bench.done()).toMatchObject([
    { kind: 'startSnapshot', job: 1, replOffset: 0, streamDb: 0 },
  ]);
  const id = bench.history.replid;
  const header = /^\+FULLRESYNC (\w{40}) 0\r\n\$EOF:(\w{40})\r\n$/.exec(bench.sent(1));
  expect(header?.[1]).toBe(id);
  bench.write(0, 'SET1');
  bench.snapshot(1, 'REDIS');
  bench.write(0, 'SET2');
  expect(bench.sent(1)).toBe(`REDIS${header?.[2]}`);
  bench.replconf(1, 'ACK', '0');
  bench.write(0, 'SET3');
  expect(bench.sent(1)).toBe(`${SELECT_0}SET1SET2SET3`);
  expect(bench.events()).toEqual(['snapshotStreamed', 'snapshotSent', 'replicaOnline']);
  expect(bench.history.masterReplOffset).toBe(SELECT_0.length + 12);
});

test('a replica without eof gets the size first, and the stream at once', () => {
  const bench = new Bench();
  bench.psync(1);
  bench.write(0, 'SET1');
  bench.pass(2500);
  bench.snapshot(1, 'REDIS');
  expect(bench.sent(1)).toBe(
    `+FULLRESYNC ${bench.history.replid} 0\r\n\n\n$5\r\nREDIS${SELECT_0}SET1`,
  );
});

test('SYNC has no answer before the snapshot', () => {
  const bench = new Bench();
  bench.sync(1, undefined);
  bench.snapshot(1, 'REDIS');
  expect(bench.sent(1)).toBe('$5\r\nREDIS');
});

test('replicas that are shaking hands are waited for, up to the delay', () => {
  const bench = new Bench();
  bench.hello(1);
  bench.hello(2);
  bench.psync(1);
  expect(bench.events()).toContain('snapshotDelayed');
  bench.psync(2);
  expect(bench.source.snapshotClients(1)).toEqual([1, 2]);

  const late = new Bench();
  late.hello(1);
  late.hello(2);
  late.psync(1);
  late.pass(4900);
  expect(late.done()).toEqual([]);
  late.pass(200);
  expect(late.source.snapshotClients(1)).toEqual([1]);

  const left = new Bench();
  left.hello(1);
  left.hello(2);
  left.psync(1);
  left.close(2);
  expect(left.source.snapshotClients(1)).toEqual([1]);
});

test('who comes during a snapshot gets the next one', () => {
  const bench = new Bench();
  bench.psync(1);
  bench.psync(2);
  expect(bench.events()).toContain('snapshotQueued');
  bench.write(0, 'SET1');
  bench.snapshot(1, 'A');
  expect(bench.done()).toMatchObject([
    { kind: 'acknowledged', client: 1 },
    { kind: 'startSnapshot', job: 2, replOffset: SELECT_0.length + 4 },
  ]);
  bench.snapshot(2, 'BB');
  expect(bench.sent(2)).toMatch(/\$2\r\nBB$/);
});

test('the last replica to leave a snapshot aborts it, and the next group starts', () => {
  const bench = new Bench();
  bench.psync(1);
  bench.psync(2);
  bench.done();
  bench.close(1);
  expect(bench.done()).toMatchObject([
    { kind: 'abortSnapshot', job: 1 },
    { kind: 'startSnapshot', job: 2 },
  ]);
});

test('a failed snapshot closes its replicas', () => {
  const bench = new Bench();
  bench.psync(1);
  bench.done();
  bench.snapshot(1, 'A', false);
  expect(bench.done()).toEqual([{ kind: 'close', client: 1, reason: 'snapshotFailed' }]);
  expect(bench.source.replicaCount).toBe(0);
});

/** A replica is online and has the stream up to `offset`. */
function onlineBench(options: Partial<SourceOptions> = {}): Bench {
  const bench = new Bench(options);
  bench.hello(1);
  bench.psync(1);
  bench.snapshot(1, '');
  bench.replconf(1, 'ack', '0');
  bench.write(3, 'SET1');
  bench.sent(1);
  bench.done();
  return bench;
}

test('a partial resynchronization sends what is missing', () => {
  const bench = onlineBench();
  const at = bench.history.masterReplOffset;
  bench.close(1);
  bench.write(3, 'SET2');
  bench.hello(2);
  bench.psync(2, bench.history.replid, at + 1);
  expect(bench.sent(2)).toBe(`+CONTINUE ${bench.history.replid}\r\nSET2`);
  bench.psync(3, bench.history.replid, at + 5);
  expect(bench.sent(3)).toBe('+CONTINUE\r\n');
  expect(bench.source.counters).toEqual({ fullSyncs: 1, partialAccepted: 2, partialRefused: 0 });
});

test('what a full socket did not take waits once for all, beyond the size of the backlog, until nobody needs it', () => {
  const bench = onlineBench();
  const { history, source } = bench;
  const text = 'x'.repeat(1 << 20);
  const from = history.masterReplOffset;
  bench.full.add(1);
  for (let i = 0; i < 3; i++) bench.write(3, text);
  expect(bench.sent(1)).toBe('');
  expect(source.unsentBytesMost).toBe(3 << 20);
  expect(source.behind.map(({ client }) => client)).toEqual([1]);
  expect(history.backlog?.firstOffset).toBeLessThanOrEqual(from + 1);
  // Another replica goes on from a point that the size alone would have lost.
  bench.psync(2, history.replid, from + 1);
  expect(bench.sent(2)).toBe(`+CONTINUE\r\n${text}${text}${text}`);
  bench.full.clear();
  source.sendStream(1);
  expect(bench.sent(1)).toBe(text + text + text);
  expect(source.behind).toEqual([]);
  expect(history.backlog?.size).toBeLessThan(1.1 * (1 << 20));
  bench.write(3, 'next');
  expect(bench.sent(1) + bench.sent(2)).toBe('nextnext');
});

test('the stream since a snapshot is kept while its replica has not got it, and goes with the replica', () => {
  const bench = onlineBench();
  bench.hello(2);
  bench.psync(2);
  for (let i = 0; i < 3; i++) bench.write(3, 'x'.repeat(1 << 20));
  expect(bench.history.backlog?.size).toBeGreaterThan(3 << 20);
  expect(bench.source.unsentBytesMost).toBeGreaterThan(3 << 20);
  bench.sent(1);
  expect(bench.history.backlog?.size).toBeGreaterThan(3 << 20);
  bench.close(2);
  expect(bench.history.backlog?.size).toBeLessThan(1.1 * (1 << 20));
  expect(bench.source.unsentBytesMost).toBe(0);
});

test('who wants the snapshot alone keeps nothing of the stream', () => {
  const bench = onlineBench();
  bench.replconf(2, 'rdb-only', '1');
  bench.psync(2);
  bench.write(3, 'x'.repeat(1000));
  bench.sent(1);
  expect(bench.source.unsentBytesMost).toBe(0);
  bench.snapshot(2, 'REDIS');
  bench.sent(2);
  bench.write(3, 'SET');
  bench.sent(1);
  expect(bench.source.unsentBytesMost).toBe(0);
  expect(bench.sent(2)).toBe('');
});

test('SELECT is written when the database changes, and only then', () => {
  const bench = onlineBench();
  bench.write(3, 'A');
  bench.write(NO_DB, 'B');
  bench.write(1, 'C');
  expect(bench.sent(1)).toBe('AB*2\r\n$6\r\nSELECT\r\n$1\r\n1\r\nC');
});

test('nothing is recorded before there was a replica, and the history begins with the first', () => {
  const bench = new Bench();
  bench.write(0, 'SET1');
  expect(bench.history.masterReplOffset).toBe(0);
  bench.psync(1, OWN, 1);
  expect(bench.history.replid).not.toBe(OWN);
  expect(bench.done()).toMatchObject([{ kind: 'startSnapshot' }]);
});

test('PING goes into the stream each period while there are replicas, unless held', () => {
  const bench = onlineBench();
  bench.pass(10_500);
  expect(bench.sent(1)).toBe('*1\r\n$4\r\nPING\r\n');
  bench.source.arePingsHeld = true;
  bench.replconf(1, 'ack', '1');
  bench.pass(10_500);
  expect(bench.sent(1)).toBe('');
});

test('a replica that does not acknowledge in time is closed, but not after a pause of our own', () => {
  const bench = onlineBench({ timeoutSeconds: 3 });
  bench.now = monoMs(bench.now + 20_000);
  bench.source.step(bench.now, { kind: 'tick' });
  expect(bench.done()).toEqual([]);
  bench.replconf(1, 'ack', '5');
  bench.pass(2900);
  expect(bench.done()).toEqual([{ kind: 'acknowledged', client: 1 }]);
  bench.pass(2000);
  expect(bench.done()).toEqual([{ kind: 'close', client: 1, reason: 'timedOut' }]);
});

test('acknowledgements count for WAIT and for min-replicas', () => {
  const bench = onlineBench();
  bench.source.requestAcks();
  expect(bench.sent(1)).toBe(encodeCommand('REPLCONF', 'GETACK', '*').toString());
  const offset = bench.history.masterReplOffset;
  expect(bench.source.acknowledgedCount(offset)).toBe(0);
  bench.replconf(1, 'ack', String(offset));
  expect(bench.source.acknowledgedCount(offset)).toBe(1);
  bench.now = monoMs(bench.now + 3999);
  expect(bench.source.goodReplicaCount(bench.now, 3)).toBe(1);
  bench.now = monoMs(bench.now + 1);
  expect(bench.source.goodReplicaCount(bench.now, 3)).toBe(0);
});

test('promotion begins a history, serves the old one up to its end, and lets the replicas go', () => {
  const bench = onlineBench();
  const old = bench.history.replid;
  const end = bench.history.masterReplOffset;
  bench.effects.push(...bench.source.promote(bench.now));
  expect(bench.done()).toEqual([{ kind: 'close', client: 1, reason: 'historyChanged' }]);
  bench.write(3, 'NEW');
  bench.hello(2);
  bench.psync(2, old, end + 1);
  expect(bench.sent(2)).toBe(
    `+CONTINUE ${bench.history.replid}\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\nNEW`,
  );
  bench.hello(4);
  bench.psync(4, old, end + 2);
  expect(bench.sent(4)).toMatch(/^\+FULLRESYNC/);
});

test('the backlog ends after its time without replicas, and its history with it', () => {
  const bench = onlineBench({ backlogTtlSeconds: 60 });
  const old = bench.history.replid;
  bench.close(1);
  bench.pass(59_000);
  expect(bench.history.backlog).toBeDefined();
  bench.pass(4000);
  expect(bench.history.backlog).toBeUndefined();
  expect(bench.history.replid).not.toBe(old);
  expect(bench.source.nextWake()).toBeUndefined();
});

test('REPLCONF is answered as Redis answers it', () => {
  const bench = new Bench();
  expect(bench.replconf(1, 'listening-port')).toBe('ERR syntax error');
  expect(bench.replconf(1, 'listening-port', 'x')).toBe(
    'ERR value is not an integer or out of range',
  );
  expect(bench.replconf(1, 'nonsense', '1')).toBe('ERR Unrecognized REPLCONF option: nonsense');
  expect(bench.replconf(1, 'ip-address', 'x'.repeat(256))).toBe(
    'ERR REPLCONF ip-address provided by replica instance is too long: 256 bytes',
  );
  expect(bench.replconf(1, 'rdb-filter-only', 'keys')).toBe(
    'ERR Unsupported rdb-filter-only option: keys',
  );
  expect(bench.replconf(1, 'rdb-only', '5')).toBe(
    'ERR value is out of range, value must between 0 and 1',
  );
  expect(bench.replconf(1, 'capa', 'other', 'CAPA', 'EOF')).toBe('ok');
  expect(bench.replconf(1, 'ack', '5')).toBe('ack');
  expect(bench.replconf(1, 'getack', '*')).toBe('getAck');
});

test('a replica asks twice in vain, and a replica without its master cannot serve', () => {
  const bench = onlineBench();
  expect(bench.source.refusalOfSync(1, 'none')).toBe('alreadyReplica');
  expect(bench.source.refusalOfSync(2, 'down')).toBe('noMasterLink');
  expect(bench.source.refusalOfSync(2, 'up')).toBeUndefined();
});
