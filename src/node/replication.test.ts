/**
 * Goal: the two machines of replication, joined with clients, keyspace and network, keep replicas the same as their
 * master. Method: nodes in a virtual world whose connections cut the bytes into small pieces.
 */
import { describe, expect, test } from 'vitest';
import { Crc64 } from '../base/index.ts';
import { defaultSettings } from '../config/index.ts';
import type { ReplicaSession } from '../replication/index.ts';
import { encodeRequest } from '../resp/index.ts';
import { sourceOptions } from './replication-options.ts';
import { TestNode, type TestWire, TestWorld } from './test-replication.ts';

function pair(): { world: TestWorld; master: TestNode; replica: TestNode } {
  const world = new TestWorld();
  const master = world.node();
  const replica = world.node();
  return { world, master, replica };
}

function follow(world: TestWorld, replica: TestNode, master: TestNode): void {
  replica.part.follow('127.0.0.1', master.port);
  world.advance(100);
}

/** The least backlog, and no more than `hardBytes` of output that waits for a replica. */
function limitReplicas(master: TestNode, hardBytes: number): void {
  const none = { hardBytes: 0, softBytes: 0, softSeconds: 0 };
  master.config.assign('client-output-buffer-limit', {
    normal: none,
    pubsub: none,
    replica: { ...none, hardBytes },
  });
  master.config.assign('repl-backlog-size', 16 * 1024);
}

/** Follows, until the snapshot has begun. */
function connected(
  world: TestWorld,
  replica: TestNode,
  master: TestNode,
): readonly ReplicaSession[] {
  replica.part.follow('127.0.0.1', master.port);
  const { source } = master.part;
  for (let step = 0; step < 100 && source.replicaCount === 0; step++) world.step();
  return source.replicas();
}

describe('full synchronisation', () => {
  test('carries all databases with expiry times, and what is written meanwhile', () => {
    const { world, master, replica } = pair();
    for (let n = 0; n < 3000; n++) master.run('SET', `key:${n}`, `value ${n}`);
    master.run('SET', 'mortal', 'x', '1800000000000');
    master.run('SELECT', '3');
    master.run('SET', 'elsewhere', '42');
    master.run('SELECT', '0');
    replica.run('SET', 'own', 'goes away');
    replica.part.follow('127.0.0.1', master.port);
    for (let turn = 0; turn < 40; turn++) master.run('SET', `key:${turn}`, 'changed meanwhile');
    world.advance(100);
    expect(replica.part.link.isUp).toBe(true);
    expect(replica.keyspace.size).toBe(3002);
    expect(replica.get('key:39')).toBe('changed meanwhile');
    expect(replica.get('key:2999')).toBe('value 2999');
    expect(replica.get('elsewhere', 3)).toBe('42');
    expect(replica.get('own')).toBeUndefined();
    expect(replica.part.replOffset()).toBe(master.part.replOffset());
    expect(master.stats.fullSyncs).toBe(1);
    const db = replica.keyspace.db(0);
    const ref = db.find(Buffer.from('mortal'), 0, 6);
    expect(db.entries.expireAt(ref)).toBe(1_800_000_000_000);
  });

  test('is paced by the replica that takes its bytes slowly', () => {
    const { world, master, replica } = pair();
    world.chunkBytes = 1 << 20;
    master.config.assign('rdbcompression', false);
    for (let n = 0; n < 200; n++) master.run('SET', `key:${n}`, `value ${n} `.repeat(4000));
    replica.part.follow('127.0.0.1', master.port);
    let peak = 0;
    const original = master.accept.bind(master);
    master.accept = (wire) => {
      const client = original(wire);
      const write = wire.write.bind(wire);
      wire.write = (buf, size) => {
        wire.pendingBytes += size;
        peak = Math.max(peak, wire.pendingBytes);
        drainAfter(world, 10, () => {
          wire.pendingBytes = 0;
          client.drained();
        });
        return write(buf, size);
      };
      return client;
    };
    world.advance(100);
    expect(replica.keyspace.size).toBe(200);
    expect(peak).toBeGreaterThan(1024 * 1024);
    expect(peak).toBeLessThan(3 * 1024 * 1024);
  });

  test('brings the libraries of functions, in the place of those that were there', () => {
    const { world, master, replica } = pair();
    load(master, 'new');
    load(replica, 'own');
    follow(world, replica, master);
    expect(replica.functions.codes).toEqual(master.functions.codes);
    expect(replica.functions.find('own')).toBeUndefined();
    expect(replica.functions.find('new')?.library.name).toBe('new');
  });

  test('ends at a value of a module, and the replica keeps its data and functions', () => {
    const { world, master, replica } = pair();
    replica.run('SET', 'own', 'kept');
    load(replica, 'own');
    // A master that serves a module's value: its snapshot is given byte by byte.
    const rdb = rdbWithModule();
    master.part.sync = (session) => {
      const header = `+FULLRESYNC ${'a'.repeat(40)} 1\r\n$${rdb.length}\r\n`;
      session.reply.text(header);
      session.reply.raw(rdb, 0, rdb.length);
    };
    follow(world, replica, master);
    expect(replica.part.link.isUp).toBe(false);
    expect(replica.get('own')).toBe('kept');
    expect(replica.functions.codes).toEqual([library('own')]);
    expect(replica.logs.join('\n')).toMatch(
      /the key "a value" holds a module value of AAAAAAAAA \(type 7\).*, at byte 75/,
    );
  });
});

test('a snapshot that breaks off behind a library leaves the replica as it was, and the log says where', () => {
  const { world, master, replica } = pair();
  replica.run('SET', 'own', 'kept');
  load(replica, 'own');
  const rdb = rdbWithModule();
  const size = rdb.length - 30;
  master.part.sync = (session) => {
    session.reply.text(`+FULLRESYNC ${'a'.repeat(40)} 1\r\n$${rdb.length}\r\n`);
    session.reply.raw(rdb, 0, size);
  };
  replica.part.follow('127.0.0.1', master.port);
  world.settle();
  world.cut();
  expect(replica.get('own')).toBe('kept');
  expect(replica.functions.codes).toEqual([library('own')]);
  expect(replica.logs.join('\n')).toContain(
    `Internal error in RDB reading offset ${size} -> Unexpected EOF reading RDB file`,
  );
});

describe('the stream', () => {
  test('goes on in the selected database, transactions as a whole', () => {
    const { world, master, replica } = pair();
    follow(world, replica, master);
    master.run('SELECT', '5');
    master.run('SET', 'five', '5');
    master.run('SELECT', '0');
    master.run('SET', 'zero', '0');
    world.settle();
    expect(replica.get('five', 5)).toBe('5');
    expect(replica.get('zero')).toBe('0');
    const before = replica.part.replOffset();
    for (const words of [['MULTI'], ['SET', 'a', '1'], ['SET', 'b', '2']]) feed(master, words);
    world.settle();
    expect(replica.get('a')).toBeUndefined();
    expect(replica.part.replOffset()).toBe(before);
    feed(master, ['EXEC']);
    world.settle();
    expect([replica.get('a'), replica.get('b')]).toEqual(['1', '2']);
    expect(replica.part.replOffset()).toBe(master.part.replOffset());
  });

  test('waits while clients are paused, and the offset stands still', () => {
    const { world, master, replica } = pair();
    follow(world, replica, master);
    master.run('SET', 'a', '1');
    world.settle();
    const before = replica.part.replOffset();
    replica.isPaused = true;
    master.run('SET', 'a', '2');
    world.settle();
    expect(replica.get('a')).toBe('1');
    expect(replica.part.replOffset()).toBe(before);
    replica.part.resume();
    expect(replica.get('a')).toBe('1');
    replica.isPaused = false;
    master.run('SET', 'b', '3');
    world.settle();
    expect(replica.get('b')).toBeUndefined();
    replica.part.resume();
    expect([replica.get('a'), replica.get('b')]).toEqual(['2', '3']);
    expect(replica.part.replOffset()).toBe(master.part.replOffset());
  });

  test('goes on after a cut without a second copy, a transaction cut in two included', () => {
    const { world, master, replica } = pair();
    follow(world, replica, master);
    master.run('SET', 'before', '1');
    feed(master, ['MULTI']);
    feed(master, ['SET', 'a', '1']);
    world.settle();
    world.cut();
    feed(master, ['SET', 'b', '2']);
    feed(master, ['EXEC']);
    world.advance(200);
    expect(replica.part.link.isUp).toBe(true);
    expect([replica.get('before'), replica.get('a'), replica.get('b')]).toEqual(['1', '1', '2']);
    expect(master.stats.fullSyncs).toBe(1);
    expect(master.stats.partialSyncs).toBe(1);
    expect(replica.part.replOffset()).toBe(master.part.replOffset());
  });

  test('takes a value larger than any chunk', () => {
    const { world, master, replica } = pair();
    follow(world, replica, master);
    const value = 'large '.repeat(50_000);
    master.run('SET', 'large', value);
    master.run('SET', 'after', 'small');
    world.settle();
    expect(replica.get('large')).toBe(value);
    expect(replica.get('after')).toBe('small');
  });

  test('that holds no commands ends the link, and all data is copied anew', () => {
    const { world, master, replica } = pair();
    follow(world, replica, master);
    const garbage = Buffer.from('these are not commands\r\n');
    master.part.feed(0, garbage, 0, garbage.length);
    world.advance(500);
    expect(replica.logs.join('\n')).toContain("Protocol error from the master's stream");
    expect(replica.part.link.isUp).toBe(true);
    expect(master.stats.fullSyncs).toBe(2);
  });

  test('passes through a replica to its own replicas with the same offsets', () => {
    const { world, master, replica } = pair();
    const last = world.node();
    follow(world, replica, master);
    follow(world, last, replica);
    master.run('SET', 'a', '1');
    world.settle();
    expect(last.get('a')).toBe('1');
    expect(last.part.replOffset()).toBe(master.part.replOffset());
    expect(last.part.history.replid).toBe(master.part.history.replid);
  });

  test('waits once for all replicas whose sockets take nothing, and comes whole when they do', () => {
    const { world, master, replica } = pair();
    world.chunkBytes = 1 << 20;
    const other = world.node();
    follow(world, replica, master);
    follow(world, other, master);
    const [slow, slower] = [...master.clients.values()].filter(({ role }) => role === 'replica');
    const value = 'x'.repeat(1 << 20);
    let given = 0;
    for (const client of [slow!, slower!]) {
      const wire = client.wire as TestWire;
      const write = wire.write.bind(wire);
      wire.write = (buf, size) => {
        wire.pendingBytes += size;
        given += size;
        return write(buf, size);
      };
    }
    for (let n = 0; n < 8; n++) {
      master.run('SET', `key:${n}`, value);
      world.settle();
    }
    expect(given).toBeLessThan(2.1 * (1 << 20) + 200);
    expect(slow!.unsentBytes()).toBeGreaterThan(6 * (1 << 20));
    expect(master.part.history.backlog?.heldBytes).toBeLessThan(9 * (1 << 20));
    for (let turn = 0; turn < 20; turn++) {
      for (const client of [slow!, slower!]) {
        (client.wire as TestWire).pendingBytes = 0;
        client.drained();
      }
      world.settle();
    }
    expect([replica.get('key:7'), other.get('key:7')]).toEqual([value, value]);
    expect(slow!.unsentBytes()).toBe(0);
    expect(master.part.history.backlog?.heldBytes).toBeLessThan(1.2 * (1 << 20));
  });

  test('of one turn may be more than a socket gets at once: the rest follows by itself', () => {
    const { world, master, replica } = pair();
    world.chunkBytes = 1 << 20;
    follow(world, replica, master);
    const value = 'x'.repeat(1 << 20);
    for (let n = 0; n < 8; n++) master.run('SET', `key:${n}`, value);
    world.settle();
    expect(replica.get('key:7')).toBe(value);
  });

  test('closes a replica for which more is waiting than client-output-buffer-limit allows', () => {
    const { world, master, replica } = pair();
    limitReplicas(master, 1);
    master.part.configure([]);
    follow(world, replica, master);
    expect(master.part.source.replicaCount).toBe(1);
    for (let n = 0; n < 200; n++) master.run('SET', `key:${n}`, 'x'.repeat(100));
    expect(master.part.source.replicaCount).toBe(0);
    expect(master.logs.join('\n')).toContain('for overcoming of output buffer limits.');
  });

  test('counts for that limit while the snapshot is still on its way, and the snapshot does not', () => {
    const { world, master, replica } = pair();
    limitReplicas(master, 100_000);
    master.config.assign('rdbcompression', false);
    master.part.configure([]);
    for (let n = 0; n < 200; n++) master.run('SET', `key:${n}`, 'y'.repeat(1000));
    const session = [...connected(world, replica, master)];
    expect(session.map(({ state }) => state)).toEqual(['receiving']);
    for (let n = 0; n < 900; n++) master.run('SET', `key:${n % 10}`, 'x'.repeat(60));
    expect(master.part.source.replicaCount).toBe(1);
    for (let n = 0; n < 200; n++) master.run('SET', `key:${n % 10}`, 'x'.repeat(100));
    expect(master.part.source.replicaCount).toBe(0);
  });
});

describe('roles', () => {
  test('a promoted replica serves the history of its old master on, and the old master follows it', () => {
    const { world, master, replica } = pair();
    const sibling = world.node();
    follow(world, replica, master);
    follow(world, sibling, master);
    master.run('SET', 'a', '1');
    world.settle();
    replica.part.promote();
    expect(replica.part.isReplica).toBe(false);
    expect(replica.keyspace.expiryMode).toBe('delete');
    replica.run('SET', 'b', '2');
    follow(world, sibling, replica);
    follow(world, master, replica);
    expect([master.get('b'), sibling.get('b')]).toEqual(['2', '2']);
    expect(master.keyspace.expiryMode).toBe('hide');
    expect(replica.stats.fullSyncs).toBe(0);
    expect(replica.stats.partialSyncs).toBe(2);
    expect(master.config.settings.replicaof).toEqual({ host: '127.0.0.1', port: replica.port });
  });

  test('progress is told when the link comes up, moves and goes down', () => {
    const { world, master, replica } = pair();
    let calls = 0;
    replica.part.onProgress = () => calls++;
    follow(world, replica, master);
    expect(calls).toBeGreaterThan(0);
    for (const event of [() => master.run('SET', 'a', '1'), () => world.cut()]) {
      calls = 0;
      event();
      world.settle();
      expect(calls).toBeGreaterThan(0);
    }
  });

  test('killing the client of the master link reconnects it', () => {
    const { world, master, replica } = pair();
    follow(world, replica, master);
    [...replica.clients.values()].find((client) => client.role === 'master')?.close();
    expect(replica.part.link.isUp).toBe(false);
    world.advance(100);
    expect(replica.part.link.isUp).toBe(true);
    expect(master.stats.partialSyncs).toBe(1);
  });
});

describe('WAIT', () => {
  test('answers when enough replicas acknowledged, without waiting for their next word', () => {
    const { world, master, replica } = pair();
    follow(world, replica, master);
    master.run('SET', 'a', '1');
    expect(master.run('WAIT', '1', '0')).toBeUndefined();
    expect(master.local.blocked?.kind).toBe('wait');
    world.settle();
    expect(master.answered()).toBe(':1\r\n');
    expect(master.unblocked).toEqual([master.local]);
    expect(master.local.blocked).toBeUndefined();
  });

  test('answers what there is when the time is over', () => {
    const { world, master, replica } = pair();
    follow(world, replica, master);
    master.run('WAIT', '2', '500');
    world.advance(450);
    expect(master.answered()).toBe('');
    world.advance(100);
    expect(master.answered()).toBe(':1\r\n');
  });

  test('is refused when the node becomes a replica', () => {
    const { world, master, replica } = pair();
    follow(world, replica, master);
    master.run('WAIT', '2', '0');
    master.part.follow('127.0.0.1', replica.port);
    expect(master.answered()).toMatch(/^-UNBLOCKED force unblock from blocking operation/);
    expect(master.local.isClosing).toBe(true);
  });
});

function feed(node: TestNode, words: string[]): void {
  const bytes = encodeRequest(words);
  node.part.feed(0, bytes, 0, bytes.length);
}

/** Lets the world go round some times before `event`. */
function drainAfter(world: TestWorld, rounds: number, event: () => void): void {
  world.later(rounds === 0 ? event : () => drainAfter(world, rounds - 1, event));
}

function library(name: string): string {
  return `#!lua name=${name}\nredis.register_function('${name}', function() end)`;
}

function load({ functions }: TestNode, name: string): void {
  functions.load(library(name), { replaces: false, isTrusted: false });
}

/** A library of functions comes before the value of the module. */
function rdbWithModule(): Buffer {
  const code = library('new');
  const body = Buffer.concat([
    Buffer.from(`REDIS0010\xf5\x40${String.fromCharCode(code.length)}${code}`, 'latin1'),
    Buffer.from([0xfe, 0, 7, 7]),
    Buffer.from('a value'),
    Buffer.from([1, 2, 3, 1, 1, 0xff, 0xff]),
  ]);
  const crc = new Crc64();
  crc.update(body, 0, body.length);
  const sum = Buffer.alloc(8);
  crc.writeTo(sum, 0);
  return Buffer.concat([body, sum]);
}

test('the delay before a snapshot is always waited for once somebody has set it, if only to what it is', () => {
  const settings = defaultSettings();
  expect(sourceOptions(settings, false).isSyncDelayChosen).toBe(false);
  expect(sourceOptions(settings, true).isSyncDelayChosen).toBe(true);
  const { world, master, replica } = pair();
  master.config.assign('repl-diskless-sync-delay', 5);
  master.part.configure(['repl-diskless-sync-delay']);
  follow(world, replica, master);
  world.advance(4500);
  expect(replica.part.link.isUp).toBe(false);
  world.advance(1000);
  expect(replica.part.link.isUp).toBe(true);
});
