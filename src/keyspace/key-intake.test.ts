/**
 * Goal: what is loaded in bulk is what is loaded key by key, and a key that comes twice is noticed, wherever it comes.
 * Method: more keys than wait at a time, of every shape that the loader knows, with one table and with one a hash slot.
 */
import { expect, test } from 'vitest';
import { seededRng } from '../base/index.ts';
import { decodeDump } from '../rdb/index.ts';
import { NO_EXPIRY } from './database.ts';
import { Keyspace, NONE, ValueLoader } from './index.ts';

const MANY = 70_000;
const HOOKS = { expired: () => {}, touched: () => {}, replaced: () => {}, rubbish: () => {} };
/** DUMP payloads of redis-server 7.0.15: a list, an intset, a set, a small hash and one in a table. */
const CONTAINERS: readonly Buffer[] = [
  '1201021c1c0000000500816102dfff02c12c02f2701101048568656c6c6f06ff0a00a6539fd8ffa8acdf',
  '0b20080000000300000090eefeffffffffff0100000000000000005ed0b2000000000a006d1112aaa56de8c5',
  '0203c011016201610a001ef3af2567da6d8a',
  '101414000000040081660201018167028374776f04ff0a00e318742b61db6fdf',
  '040201670374776f0166c0010a0095d21544c6b41c61',
].map((hex) => Buffer.from(hex, 'hex'));

function bytes(text: string): { buf: Buffer; at: number; size: number } {
  const buf = Buffer.from(text);
  return { buf, at: 0, size: buf.length };
}

/** Every seventh is a container and every third has an expiry time. */
function load(loader: ValueLoader, keyspace: Keyspace, number: number): void {
  const expiry = number % 3 === 0 ? 1_000_000 + number : NO_EXPIRY;
  loader.begin(keyspace.db(0), bytes(`key:${number}`), expiry);
  if (number % 7 === 0) {
    const payload = CONTAINERS[(number / 7) % CONTAINERS.length]!;
    decodeDump(payload, 0, payload.length, loader);
  } else loader.string(bytes(`value ${number}`));
  loader.end();
}

function create(clusterMode: boolean): Keyspace {
  return new Keyspace({ rng: seededRng(5), hooks: HOOKS, databases: 1, clusterMode });
}

for (const clusterMode of [false, true]) {
  const where = clusterMode ? 'with a table a hash slot' : 'with one table';

  test(`many keys are all found, with their expiry times, ${where}`, () => {
    const keyspace = create(clusterMode);
    const db = keyspace.db(0);
    const loader = new ValueLoader(true);
    for (let number = 0; number < MANY; number++) load(loader, keyspace, number);
    loader.flush();
    expect(loader.duplicate).toBeUndefined();
    expect([db.size, db.volatileCount]).toEqual([MANY, Math.ceil(MANY / 3)]);
    const wrong: number[] = [];
    for (let number = 0; number < MANY; number++) {
      const { buf, at, size } = bytes(`key:${number}`);
      const ref = db.find(buf, at, size);
      const expireAt = number % 3 === 0 ? 1_000_000 + number : -1;
      if (ref === NONE || db.entries.expireAt(ref) !== expireAt) wrong.push(number);
    }
    expect(wrong).toEqual([]);
  });

  test(`a key that comes twice is noticed and what is not wanted leaves nothing, ${where}`, () => {
    // A string, a packed value and one that is built part by part; both among what waits and after.
    for (const number of [1, 21, 28]) {
      for (const between of [0, 10]) {
        const keyspace = create(clusterMode);
        const loader = new ValueLoader(true);
        for (let other = 100; other < 100 + between; other++) load(loader, keyspace, other);
        load(loader, keyspace, number);
        if (between === 10) loader.flush();
        load(loader, keyspace, number);
        loader.flush();
        expect(loader.duplicate).toEqual({ key: Buffer.from(`key:${number}`), dbIndex: 0 });
      }
    }
  });

  test(`a value that is not wanted after all leaves nothing, ${where}`, () => {
    const keyspace = create(clusterMode);
    const loader = new ValueLoader(true);
    for (let number = 0; number < 40; number++) {
      load(loader, keyspace, number);
      loader.discard();
    }
    loader.flush();
    while (keyspace.collect(1000));
    expect([keyspace.size, keyspace.db(0).volatileCount]).toEqual([0, 0]);
    expect(keyspace.memory.usedBytes).toBe(0);
  });
}
