/**
 * Goal: a replica has what its master has, whichever of the two is ours: after a full synchronisation, while writes
 * stream, and after a lost connection without a second full copy. Method: standalone nodes, every key compared.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NodeProcess, freePorts } from './harness/node-process.ts';
import { OUR_SERVER, REAL_SERVER, describeWithRealRedis, required } from './harness/programs.ts';
import type { Reply } from './harness/resp-connection.ts';
import { never, until } from './harness/until.ts';

const SYNC_BOUND_MS = 15_000;
const FAR_FUTURE_MS = 4_102_444_800_000;
const CONFIG = [
  'repl-diskless-sync yes',
  'repl-diskless-sync-delay 0',
  'repl-backlog-size 4mb',
  'enable-debug-command local',
];

describe('replication between nodes of ours', () => {
  chain(() => [OUR_SERVER, OUR_SERVER]);
});

describeWithRealRedis('replication from a real master, and from us on to a real replica', () => {
  chain(() => [real(), OUR_SERVER, real()]);
});

describeWithRealRedis('replication from our master through a real replica to one of ours', () => {
  chain(() => [OUR_SERVER, real(), OUR_SERVER]);
});

describe('FAILOVER between nodes of ours', () => {
  changingPlaces(() => [OUR_SERVER, OUR_SERVER]);
});

describeWithRealRedis('FAILOVER from our master to a real replica, and back', () => {
  changingPlaces(() => [OUR_SERVER, real()]);
});

describe('a master of ours that was shut down comes back, its replica of ours in its place', () => {
  comingBack(() => [OUR_SERVER, OUR_SERVER]);
});

describeWithRealRedis('a master of ours that was shut down, a real replica in its place', () => {
  comingBack(() => [OUR_SERVER, real()]);
});

describe('what tests set, between nodes of ours', () => {
  testSettings(() => [OUR_SERVER, OUR_SERVER]);
});

describeWithRealRedis('what tests set, on our replica of a real master', () => {
  testSettings(() => [real(), OUR_SERVER]);
});

async function isLoading(node: NodeProcess, how: 'loading' | 'async_loading'): Promise<boolean> {
  return (await node.facts('INFO', 'persistence')).get(how) === '1';
}

function testSettings(exes: () => readonly string[]): void {
  withNodes(exes, (node) => {
    test('replicas do not hear of DEBUG POPULATE', async () => {
      const [master, replica] = [node(0), node(1)];
      await replica.call('REPLICAOF', '127.0.0.1', master.port);
      await untilUp(replica);
      await master.call('DEBUG', 'POPULATE', 10);
      await master.call('SET', 'after', 'it');
      expect(await master.call('WAIT', 1, SYNC_BOUND_MS)).toBe(1);
      expect(await replica.call('DBSIZE')).toBe(1);
      const saving = await master.facts('INFO', 'persistence');
      expect(saving.get('rdb_changes_since_last_save')).toBe('1');
    });

    test('key-load-delay gives the time to look at a replica that loads, which has its old data', async () => {
      const [master, replica] = [node(0), node(1)];
      // More than comes at once: the waits are between the pieces.
      await master.call('DEBUG', 'POPULATE', 20_000);
      await replica.call('REPLICAOF', 'NO', 'ONE');
      await replica.call('SET', 'own', 'here');
      await replica.call('CONFIG', 'SET', 'key-load-delay', 60_000_000);
      await replica.call('REPLICAOF', '127.0.0.1', master.port);
      await until(async () => (await syncCounts(master)).full === 2, SYNC_BOUND_MS, 'it is sent');
      await never(() => isUp(replica), 300, 'it is loaded');
      expect(await replica.call('GET', 'own')).toBe('here');
      await replica.call('CONFIG', 'SET', 'key-load-delay', 0);
      await untilUp(replica);
      expect(await replica.call('DBSIZE')).toBe(20_001);
    });

    test('swapdb: another history comes in place of the data, one of the same beside it', async () => {
      const [master, replica] = [node(0), node(1)];
      await replica.call('REPLICAOF', 'NO', 'ONE');
      await replica.call('CONFIG', 'SET', 'repl-diskless-load', 'swapdb');
      await replica.call('CONFIG', 'SET', 'key-load-delay', 60_000_000);
      await replica.call('SET', 'own', 'here');
      await replica.call('REPLICAOF', '127.0.0.1', master.port);
      await until(() => isLoading(replica, 'loading'), SYNC_BOUND_MS, 'it loads');
      await expect(replica.call('GET', 'own')).rejects.toThrow(/^LOADING/);
      await replica.call('CONFIG', 'SET', 'key-load-delay', 0);
      await untilUp(replica);
      expect(await replica.call('GET', 'own')).toBeNull();

      await replica.call('CONFIG', 'SET', 'key-load-delay', 60_000_000);
      await master.call('CONFIG', 'SET', 'repl-backlog-size', 16_384);
      await master.call('MULTI');
      await master.call('CLIENT', 'KILL', 'TYPE', 'replica');
      for (let i = 0; i < 10; i++) await master.call('SET', `filler:${i}`, 'x'.repeat(16_384));
      await master.call('EXEC');
      await until(() => isLoading(replica, 'async_loading'), SYNC_BOUND_MS, 'it loads beside');
      expect(await replica.call('DBSIZE')).toBe(20_001);
      await expect(replica.call('REPLICAOF', 'NO', 'ONE')).rejects.toThrow(/^LOADING/);
      await expect(replica.call('CONFIG', 'SET', 'appendonly', 'no')).rejects.toThrow(/^LOADING/);
      await replica.call('CONFIG', 'SET', 'key-load-delay', 0);
      await untilUp(replica);
      expect(await replica.call('DBSIZE')).toBe(20_011);
      await replica.call('CONFIG', 'SET', 'repl-diskless-load', 'disabled');
    });
  });
}

/** A master and its replica change places twice, each time under writes of which none may be lost. */
function changingPlaces(exes: () => readonly string[]): void {
  withNodes(exes, (node) => {
    for (const [from, to] of [
      [0, 1],
      [1, 0],
    ] as const) {
      test(`node ${from} hands over to node ${to}`, async () => {
        const [master, replica] = [node(from), node(to)];
        await replica.call('REPLICAOF', '127.0.0.1', master.port);
        await untilUp(replica);
        const { full } = await syncCounts(replica);
        let acknowledged = 0;
        let isOver = false;
        const writing = (async () => {
          while (!isOver) {
            try {
              acknowledged = Number(await master.call('INCR', `count:${from}`));
            } catch (error) {
              expect(String(error)).toContain('READONLY');
              isOver = true;
            }
          }
        })();
        await until(() => acknowledged > 50, SYNC_BOUND_MS, 'writes are under way');
        expect(await master.call('FAILOVER', 'TO', '127.0.0.1', replica.port)).toBe('OK');
        await writing;
        await untilUp(master);
        expect(await master.call('INFO', 'replication')).toContain(
          'master_failover_state:no-failover',
        );
        expect(Number(await replica.call('GET', `count:${from}`))).toBe(acknowledged);
        expect((await syncCounts(replica)).full).toBe(full);
        await untilSame(replica, master);
      });
    }
  });
}

/** The file of its shutdown is a point of the history that the new master goes on with. */
function comingBack(exes: () => readonly string[]): void {
  withNodes(exes, (node) => {
    test('it needs no copy, and has what was written meanwhile in each database', async () => {
      const [old, replica] = [node(0), node(1)];
      await replica.call('REPLICAOF', '127.0.0.1', old.port);
      await untilUp(replica);
      await fill(old, 'before');
      await old.call('SELECT', 3);
      await old.call('SET', 'elsewhere', 'before');
      expect(await old.call('WAIT', 1, SYNC_BOUND_MS)).toBe(1);
      const ended = old.ended();
      await expect(old.call('SHUTDOWN', 'SAVE')).rejects.toThrow();
      await ended;
      await replica.call('REPLICAOF', 'NO', 'ONE');
      await fill(replica, 'meanwhile');
      await replica.call('SELECT', 5);
      await replica.call('SET', 'elsewhere', 'meanwhile');
      await replica.call('SELECT', 0);
      const before = await syncCounts(replica);

      await old.start();
      await old.call('REPLICAOF', '127.0.0.1', replica.port);
      await untilUp(old);
      expect(await syncCounts(replica)).toEqual({ ...before, partial: before.partial + 1 });
      await untilSame(replica, old);
      expect(await old.call('DEBUG', 'DIGEST')).toBe(await replica.call('DEBUG', 'DIGEST'));
    });

    test('once it has written something of its own it gets a copy, and that is gone', async () => {
      const [old, replica] = [node(0), node(1)];
      await old.call('REPLICAOF', 'NO', 'ONE');
      await old.call('SET', 'own', 'unknown to others');
      const before = await syncCounts(replica);
      await old.call('REPLICAOF', '127.0.0.1', replica.port);
      await untilUp(old);
      expect((await syncCounts(replica)).full).toBe(before.full + 1);
      await untilSame(replica, old);
      expect(await old.call('EXISTS', 'own')).toBe(0);
    });
  });
}

function real(): string {
  return required(REAL_SERVER, 'redis-server');
}

/** Standalone nodes, one for each executable, for the tests that `body` defines. */
function withNodes(
  exes: () => readonly string[],
  body: (node: (index: number) => NodeProcess) => void,
): void {
  const nodes: NodeProcess[] = [];
  let dir: string;

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'slotline-replication-'));
    const ports = await freePorts(exes().length);
    for (const [index, exe] of exes().entries()) {
      const port = ports[index] ?? 0;
      nodes.push(new NodeProcess({ exe, port, dir: join(dir, String(port)), config: CONFIG }));
    }
    await Promise.all(nodes.map((node) => node.start()));
  });
  afterAll(async () => {
    await Promise.all(nodes.map((node) => node.kill()));
    rmSync(dir, { recursive: true, force: true });
  });

  body((index) => {
    const node = nodes[index];
    if (node === undefined) throw new Error(`Cannot find node ${index}: ${nodes.length} nodes`);
    return node;
  });
}

/** Each node replicates from the one before it. */
function chain(exes: () => readonly string[]): void {
  withNodes(exes, (node) => {
    const count = exes().length;
    const last = (): NodeProcess => node(count - 1);

    test('a full synchronisation carries every kind of string and its expiry', async () => {
      await fill(node(0), 'full');
      for (let index = 1; index < count; index++) {
        await node(index).call('REPLICAOF', '127.0.0.1', node(index - 1).port);
        await untilUp(node(index));
      }
      await untilSame(node(0), last());
      expect(await last().call('DBSIZE')).toBe(await node(0).call('DBSIZE'));
    });

    test('writes stream on, in every database, and WAIT counts the replica', async () => {
      await fill(node(0), 'stream');
      await node(0).call('SELECT', 3);
      await node(0).call('SET', 'elsewhere', 'three');
      await node(0).call('SELECT', 0);
      await node(0).call('MSET', 'a', '1', 'b', '2');
      await node(0).call('MULTI');
      await node(0).call('INCR', 'a');
      await node(0).call('DEL', 'b');
      await node(0).call('EXEC');
      expect(await node(0).call('WAIT', 1, 5000)).toBe(1);
      await untilSame(node(0), last());
      await last().call('SELECT', 3);
      expect(await last().call('GET', 'elsewhere')).toBe('three');
      await last().call('SELECT', 0);
      await expect(last().call('SET', 'a', 'x')).rejects.toThrow(
        "READONLY You can't write against a read only replica.",
      );
    });

    test('an expired key goes away on the replica too', async () => {
      await node(0).call('SET', 'short', 'lived', 'PX', 50);
      await until(
        async () => (await node(0).call('EXISTS', 'short')) === 0,
        SYNC_BOUND_MS,
        'the key expires',
      );
      await untilSame(node(0), last());
    });

    test('after a lost connection the replica continues without a full copy', async () => {
      const [master, replica] = [node(0), node(1)];
      const before = await syncCounts(master);
      await replica.call('CLIENT', 'KILL', 'TYPE', 'master');
      await fill(master, 'partial');
      await until(
        async () => (await syncCounts(master)).partial > before.partial,
        SYNC_BOUND_MS,
        'the master accepts a partial synchronisation',
      );
      await untilUp(replica);
      await untilSame(master, last());
      expect((await syncCounts(master)).full).toBe(before.full);
    });

    test('a promoted replica keeps the history under its second id', async () => {
      const replid = (await node(0).facts('INFO', 'replication')).get('master_replid');
      await node(1).call('REPLICAOF', 'NO', 'ONE');
      const facts = await node(1).facts('INFO', 'replication');
      expect(facts.get('role')).toBe('master');
      expect(facts.get('master_replid2')).toBe(replid);
      expect(facts.get('master_replid')).not.toBe(replid);
      const before = await syncCounts(node(1));
      await node(0).call('REPLICAOF', '127.0.0.1', node(1).port);
      await untilUp(node(0));
      const after = await syncCounts(node(1));
      // Promotion lets go of the chain's end too, which comes back by a partial synchronization of its own.
      expect(after.partial).toBeGreaterThan(before.partial);
      expect(after.full).toBe(before.full);
    });
  });
}

async function fill(node: NodeProcess, prefix: string): Promise<void> {
  const long = 'compressible '.repeat(2000);
  const binary = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  const writes: Promise<Reply>[] = [];
  for (let n = 0; n < 500; n++) {
    writes.push(node.call('SET', `${prefix}:text:${n}`, `value ${n} ${'x'.repeat(n)}`));
    writes.push(node.call('SET', `${prefix}:int:${n}`, n * n * (n % 2 === 0 ? 1 : -1)));
  }
  writes.push(node.call('SET', `${prefix}:int64`, '-9223372036854775808'));
  writes.push(node.call('SET', `${prefix}:long`, long));
  writes.push(node.call('SET', `${prefix}:binary`, binary));
  writes.push(node.call('SET', binary, `${prefix}: a key of all bytes`));
  writes.push(node.call('SET', `${prefix}:empty`, ''));
  writes.push(node.call('SET', `${prefix}:expires`, 'later', 'PXAT', FAR_FUTURE_MS));
  writes.push(node.call('APPEND', `${prefix}:long`, 'appended'));
  writes.push(node.call('SETRANGE', `${prefix}:range`, 5, 'padded'));
  await Promise.all(writes);
}

async function untilUp(replica: NodeProcess): Promise<void> {
  await until(() => isUp(replica), SYNC_BOUND_MS, `the link of ${replica.port} is up`);
}

async function isUp(replica: NodeProcess): Promise<boolean> {
  return (await replica.facts('INFO', 'replication')).get('master_link_status') === 'up';
}

async function untilSame(master: NodeProcess, replica: NodeProcess): Promise<void> {
  const wanted = await contents(master);
  await until(
    async () => {
      const seen = await contents(replica);
      return seen.length === wanted.length && seen.every((line, i) => line === wanted[i]);
    },
    SYNC_BOUND_MS,
    `${replica.port} has the keys, values and expiries of ${master.port}`,
  );
}

/** Every key of database 0 with its value and expiry, in order. */
async function contents(node: NodeProcess): Promise<string[]> {
  const keys = (await node.call('KEYS', '*')) as Reply[];
  const lines = keys.map(async (key) => {
    const name = String(key);
    const [value, expiry] = await Promise.all([
      node.text('GET', name),
      node.text('PEXPIRETIME', name),
    ]);
    return JSON.stringify([name, value, expiry]);
  });
  return (await Promise.all(lines)).sort();
}

async function syncCounts(node: NodeProcess): Promise<{ full: number; partial: number }> {
  const facts = await node.facts('INFO', 'stats');
  return { full: Number(facts.get('sync_full')), partial: Number(facts.get('sync_partial_ok')) };
}
