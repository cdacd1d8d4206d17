/** One or two databases against Maps of what they should hold. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { keySlot, seededRng, unixMs } from '../base/index.ts';
import {
  type BytesView,
  type Database,
  EXPIRE_AT_MAX,
  KEEP_EXPIRY,
  Keyspace,
  type KeyspaceHooks,
  LOOKUP_NO_TOUCH,
  LOOKUP_READ,
  LOOKUP_WRITE,
  NONE,
  NO_EXPIRY,
  type Ref,
  activeExpire,
  append,
  expireOwnKeys,
  makeRaw,
  setRange,
} from './index.ts';

const START = 1_700_000_000_000;
const view = (text: string): BytesView => ({ buf: Buffer.from(text), at: 0, size: text.length });
const textOf = ({ buf, at, size }: BytesView): string =>
  Buffer.from(buf.subarray(at, at + size)).toString('latin1');

interface World {
  keyspace: Keyspace;
  db: Database;
  expired: string[];
  touched: string[];
}

function createWorld(clusterMode = false): World {
  const expired: string[] = [];
  const touched: string[] = [];
  const hooks: KeyspaceHooks = {
    expired: (_db, buf, at, size) => expired.push(textOf({ buf, at, size })),
    touched: (_db, buf, at, size) => touched.push(textOf({ buf, at, size })),
    replaced: (db) => touched.push(`all of ${db}`),
    rubbish: () => {},
  };
  const keyspace = new Keyspace({ rng: seededRng(5), hooks, clusterMode, databases: 3 });
  keyspace.nowMs = unixMs(START);
  return { keyspace, db: keyspace.db(0), expired, touched };
}

function find(db: Database, key: string): Ref {
  return db.find(Buffer.from(key), 0, key.length);
}

function lookup(db: Database, key: string, flags = LOOKUP_READ): Ref {
  return db.lookup(Buffer.from(key), 0, key.length, flags);
}

function set(db: Database, key: string, value: string, expiry = NO_EXPIRY): Ref {
  return db.setString(Buffer.from(key), 0, key.length, view(value), expiry);
}

function get(db: Database, key: string): string | undefined {
  const ref = find(db, key);
  return ref === NONE ? undefined : textOf(db.entries.stringView(ref));
}

function dump(db: Database): Map<string, string> {
  const all = new Map<string, string>();
  db.forEach((ref) => {
    const key = textOf(db.entries.key(ref));
    all.set(key, `${textOf(db.entries.stringView(ref))} ${db.entries.expireAt(ref)}`);
  });
  return all;
}

const bytes = fc.oneof(
  fc.string({ maxLength: 12 }).map((text) => text.replaceAll(/[^ -~]/g, '?')),
  fc.integer().map(String),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
  fc.integer({ min: 100, max: 150 }).map((size) => 'v'.repeat(size)),
  fc.integer({ min: 900, max: 6000 }).map((size) => 'w'.repeat(size)),
);
const keys = fc.oneof(
  fc.integer({ min: 0, max: 12 }).map((n) => `key:${n}`),
  fc.constantFrom('', 'x'.repeat(255), 'y'.repeat(256), 'z'.repeat(3000)),
);
const expiries = fc.oneof(
  fc.constant(NO_EXPIRY),
  fc.constant(KEEP_EXPIRY),
  fc.integer({ min: 0, max: 2 ** 47 }),
);
const steps = fc.array(
  fc.record({
    what: fc.constantFrom(
      'set', 'set', 'set', 'raw', 'int', 'append', 'append', 'setRange', 'delete', 'rename', 'copy', 'move',
      'expire', 'persist', 'flush',
    ), // prettier-ignore
    key: keys,
    other: keys,
    value: bytes,
    expiry: expiries,
    number: fc.integer({ min: 0, max: 1500 }),
  }),
  { maxLength: 60 },
);
type Step = (typeof steps extends fc.Arbitrary<infer T> ? T : never) extends (infer S)[]
  ? S
  : never;

type Model = Map<string, { value: string; expireAt: number }>;

/** Applies one step to the databases and to the models beside them. */
function apply(step: Step, dbs: Database[], models: Model[]): void {
  const [db, model] = [dbs[0]!, models[0]!];
  const [other, otherModel] = [dbs[1]!, models[1]!];
  const { key, value, expiry, number } = step;
  const buf = Buffer.from(key);
  const ref = find(db, key);
  const old = model.get(key);
  const expireAt = expiry === KEEP_EXPIRY ? (old?.expireAt ?? -1) : expiry;
  switch (step.what) {
    case 'set':
      set(db, key, value, expiry);
      model.set(key, { value, expireAt });
      return;
    case 'raw':
      db.setRaw(buf, 0, buf.length, view(value), expiry);
      model.set(key, { value, expireAt });
      return;
    case 'int':
      if (ref === NONE) db.setInt(buf, 0, buf.length, number, expiry);
      else db.overwriteInt(ref, -number);
      model.set(
        key,
        old ? { ...old, value: String(0 - number) } : { value: `${number}`, expireAt },
      );
      return;
    case 'flush':
      if (number > 300) return;
      db.flush();
      model.clear();
      return;
    default:
  }
  if (ref === NONE || old === undefined) return;
  switch (step.what) {
    case 'append':
      append(db, ref, view(value));
      old.value += value;
      return;
    case 'setRange':
      setRange(db, ref, number, view(value));
      old.value =
        old.value.slice(0, number).padEnd(number, '\0') +
        value +
        old.value.slice(number + value.length);
      return;
    case 'delete':
      db.delete(ref);
      model.delete(key);
      return;
    case 'rename':
      if (key === step.other) return;
      db.rename(ref, Buffer.from(step.other), 0, step.other.length);
      model.delete(key);
      model.set(step.other, old);
      return;
    case 'copy':
      db.copyTo(ref, other, Buffer.from(step.other), 0, step.other.length);
      otherModel.set(step.other, { ...old });
      return;
    case 'move':
      if (otherModel.has(key)) return;
      db.moveTo(ref, other);
      model.delete(key);
      otherModel.set(key, old);
      return;
    case 'expire':
      db.setExpire(ref, number);
      old.expireAt = number;
      return;
    case 'persist':
      db.persist(ref);
      old.expireAt = -1;
      return;
    default:
  }
}

function plain(model: Model): Map<string, string> {
  return new Map([...model].map(([key, { value, expireAt }]) => [key, `${value} ${expireAt}`]));
}

test.each([false, true])(
  'databases hold what a Map would hold (cluster mode: %s)',
  (clusterMode) => {
    fc.assert(
      fc.property(steps, (list) => {
        const { keyspace, db } = createWorld(clusterMode);
        const dbs = [db, keyspace.db(1)];
        const models: Model[] = [new Map(), new Map()];
        for (const step of list) {
          apply(step, dbs, models);
          expect(get(db, step.key)).toBe(models[0]!.get(step.key)?.value);
        }
        dbs.forEach((each, i) => {
          expect(dump(each)).toEqual(plain(models[i]!));
          expect(each.size).toBe(models[i]!.size);
          const volatiles = [...models[i]!.values()].filter(({ expireAt }) => expireAt >= 0);
          expect(each.volatileCount).toBe(volatiles.length);
          each.forEach((ref) => each.delete(ref));
          expect(each.volatileCount).toBe(0);
        });
        expect(keyspace.memory.usedBytes).toBe(0);
      }),
      { seed: 11, numRuns: 150 },
    );
  },
);

test.each([
  ['12345', 'int'],
  ['-9223372036854775808', 'int'],
  ['9223372036854775807', 'int'],
  ['9223372036854775808', 'embstr'],
  ['007', 'embstr'],
  ['', 'embstr'],
  ['a'.repeat(44), 'embstr'],
  ['a'.repeat(45), 'raw'],
])('%s is stored with encoding %s and reads back', (value, encoding) => {
  const { db } = createWorld();
  expect(db.entries.encodingName(set(db, 'k', value))).toBe(encoding);
  expect(get(db, 'k')).toBe(value);
});

test('integers come back as numbers while they are safe and as bigints beyond', () => {
  const { db } = createWorld();
  const numbers = [0, -1, 2 ** 31, -(2 ** 31) - 1, 2 ** 53 - 1, 1 - 2 ** 53];
  for (const value of [...numbers, 2n ** 53n, -(2n ** 53n), 2n ** 63n - 1n, -(2n ** 63n)]) {
    const ref = db.setInt(Buffer.from('k'), 0, 1, value);
    expect(db.entries.intValue(ref)).toBe(value);
    expect(get(db, 'k')).toBe(String(value));
  }
});

test('appending makes a string raw, and many appends cost about as many moves as the value doubles', () => {
  const { db, keyspace } = createWorld();
  let ref = set(db, 'k', '7');
  let moves = 0;
  let text = '7';
  for (let i = 0; i < 4000; i++) {
    const used = keyspace.memory.usedBytes;
    ref = append(db, ref, view('0123456789'));
    text += '0123456789';
    if (keyspace.memory.usedBytes !== used) moves++;
  }
  expect(get(db, 'k')).toBe(text);
  expect(db.entries.encodingName(ref)).toBe('raw');
  expect(moves).toBeLessThan(30);
});

test('a writable string is filled up with zeros and is written through its view', () => {
  const { db } = createWorld();
  const ref = makeRaw(db, set(db, 'k', '12'), 5);
  const bits = db.entries.stringView(ref);
  bits.buf[bits.at + 4] = 0x41;
  expect(get(db, 'k')).toBe('12\0\0A');
});

test('a key lives until its time is over: removed and reported by a master', () => {
  const { db, keyspace, expired } = createWorld();
  set(db, 'k', 'v', START + 10);
  keyspace.nowMs = unixMs(START + 10);
  expect(lookup(db, 'k')).not.toBe(NONE);
  keyspace.nowMs = unixMs(START + 11);
  expect(lookup(db, 'k')).toBe(NONE);
  expect(expired).toEqual(['k']);
  expect([db.size, db.volatileCount, keyspace.dirty]).toEqual([0, 0, 1]);
  expect([keyspace.hits, keyspace.misses, keyspace.expiredCount]).toEqual([1, 1, 1]);
});

test('an expired key is hidden but kept on a replica, and found by its master and by loading', () => {
  const { db, keyspace, expired } = createWorld();
  set(db, 'k', 'v', START - 1);
  keyspace.expiryMode = 'hide';
  expect(lookup(db, 'k', LOOKUP_WRITE)).toBe(NONE);
  keyspace.expiryMode = 'ignore';
  expect(lookup(db, 'k')).not.toBe(NONE);
  expect([db.size, expired.length, keyspace.misses]).toEqual([1, 0, 0]);
});

test('expiry times are clamped to what an entry can keep', () => {
  const { db } = createWorld();
  const ref = db.setExpire(set(db, 'k', 'v'), 2 ** 60);
  expect(db.entries.expireAt(ref)).toBe(EXPIRE_AT_MAX);
  expect(db.entries.expireAt(db.setExpire(ref, -5))).toBe(0);
});

test('reads are uses, unless told otherwise; LFU counts them', () => {
  const { db, keyspace } = createWorld();
  const ref = set(db, 'k', 'v');
  keyspace.nowMs = unixMs(START + 60_000);
  expect(db.idleSeconds(ref)).toBe(60);
  lookup(db, 'k', LOOKUP_NO_TOUCH);
  expect(db.idleSeconds(ref)).toBe(60);
  lookup(db, 'k');
  expect(db.idleSeconds(ref)).toBe(0);
  db.setIdleSeconds(ref, 1000);
  expect(db.idleSeconds(ref)).toBe(1000);
  keyspace.recency.kind = 'lfu';
  const other = set(db, 'other', 'v');
  expect(db.frequency(other)).toBe(5);
  for (let i = 0; i < 100; i++) lookup(db, 'other');
  expect(db.frequency(other)).toBeGreaterThan(6);
  expect(db.frequency(other)).toBeLessThan(30);
  const counter = db.frequency(other);
  keyspace.nowMs = unixMs(START + 4 * 60_000);
  expect(db.frequency(other)).toBe(counter - 3);
});

test('changes are told only to who watches', () => {
  const { db, keyspace, touched } = createWorld();
  set(db, 'a', '1');
  keyspace.isWatched = true;
  append(db, set(db, 'a', '2'), view('x'));
  db.rename(find(db, 'a'), Buffer.from('b'), 0, 1);
  db.persist(db.setExpire(find(db, 'b'), START + 1));
  db.deleteKey(Buffer.from('b'), 0, 1);
  db.deleteKey(Buffer.from('b'), 0, 1);
  keyspace.swapDb(0, 1);
  db.flush();
  expect(touched).toEqual(['a', 'a', 'a', 'b', 'b', 'b', 'b', 'all of 0', 'all of 1', 'all of 0']);
});

test('a flushed database fills again in the memory that it had, for ten seconds', () => {
  const { db, keyspace } = createWorld();
  const memoryOf = (): ArrayBufferLike => db.store.arena.u8[1]!.buffer;
  const fill = (text: string): void => {
    for (let i = 0; i < 3000; i++) set(db, `${text}${i}`, text.repeat(100));
  };
  fill('a');
  const memory = memoryOf();
  db.flush();
  fill('b');
  expect(memoryOf()).toBe(memory);
  expect([...dump(db).keys()].every((key) => key.startsWith('b'))).toBe(true);
  expect(dump(db).size).toBe(3000);
  db.flush();
  keyspace.nowMs = unixMs(START + 9999);
  keyspace.dropSpareMemory();
  fill('c');
  expect(memoryOf()).toBe(memory);
  db.flush();
  keyspace.nowMs = unixMs(START + 19_999);
  keyspace.dropSpareMemory();
  fill('d');
  expect(memoryOf()).not.toBe(memory);
  // A clock that goes back lets it go as well.
  const last = memoryOf();
  db.flush();
  keyspace.nowMs = unixMs(START);
  keyspace.dropSpareMemory();
  fill('e');
  expect(memoryOf()).not.toBe(last);
});

test('slots are counted, listed and flushed apart', () => {
  const { db } = createWorld(true);
  for (let i = 0; i < 3000; i++) set(db, `{${i % 3}}${i}`, 'v', i % 2 ? START + 9 : NO_EXPIRY);
  const slot = keySlot(Buffer.from('1'), 0, 1);
  const seen: string[] = [];
  expect(db.countInSlot(slot)).toBe(1000);
  db.keysInSlot(slot, 10, (ref) => seen.push(textOf(db.entries.key(ref))));
  expect(seen.length).toBe(10);
  expect(seen.every((key) => key.startsWith('{1}'))).toBe(true);
  expect(db.flushSlot(slot)).toBe(1000);
  expect([db.size, db.volatileCount, db.countInSlot(slot)]).toEqual([2000, 1000, 0]);
  expect(dump(db).size).toBe(2000);
  expect(db.randomKey(seededRng(1))).not.toBe(NONE);
});

test("keys of hidden slots are in nobody's sight, and stay where they are", () => {
  const { db, keyspace } = createWorld(true);
  for (let i = 0; i < 300; i++) set(db, `{${i % 3}}${i}`, 'v');
  const [hidden, other] = ['0', '1'].map((tag) => keySlot(Buffer.from(tag), 0, 1));
  keyspace.hooks.hiddenSlots = () => new Set([hidden!]);
  const seen: string[] = [];
  const note = (ref: Ref): void => void seen.push(textOf(db.entries.key(ref)));
  db.forEachShown(note);
  for (let at = db.scanShown(0, 7, note); at !== 0;) at = db.scanShown(at, 7, note);
  expect([seen.length, new Set(seen).size, db.shownSize, db.size]).toEqual([400, 200, 200, 300]);
  const rng = seededRng(3);
  const drawn = Array.from({ length: 500 }, () => textOf(db.entries.key(db.randomKey(rng))));
  expect(drawn.every((key) => !key.startsWith('{0}'))).toBe(true);
  expect(new Set(drawn).size).toBeGreaterThan(150);
  const all = new Set([hidden!, other!, keySlot(Buffer.from('2'), 0, 1)]);
  keyspace.hooks.hiddenSlots = () => all;
  expect([db.shownSize, db.randomKey(rng), db.scanShown(0, 7, note)]).toEqual([0, NONE, 0]);
});

test('a cursor of any value ends the scan some time and never throws', () => {
  for (const clusterMode of [false, true]) {
    const { db } = createWorld(clusterMode);
    for (let i = 0; i < 300; i++) set(db, `k${i}`, 'v');
    for (const from of [1, 2 ** 32 - 1, 2 ** 32, 2 ** 46, 2 ** 53 - 1, 12345678901]) {
      let calls = 0;
      for (let at = db.scan(from, 7, () => {}); at !== 0; calls++) at = db.scan(at, 7, () => {});
      expect(calls).toBeLessThan(100);
    }
  }
});

test('active expiry removes what is over, keeps what is not, and stops when little is left to find', () => {
  const { db, keyspace, expired } = createWorld();
  for (let i = 0; i < 2000; i++) set(db, `k${i}`, 'v', START + (i < 1000 ? 1 : 50_000));
  set(db, 'stays', 'v');
  keyspace.nowMs = unixMs(START + 2);
  const pace = { keysPerLoop: 20, acceptableShare: 0.1 };
  let slices = 0;
  while (expired.length < 1000) {
    expect(activeExpire(db, keyspace.nowMs, pace, 400).looked).toBeLessThan(420);
    expect(++slices).toBeLessThan(100);
  }
  expect([db.size, db.volatileCount]).toEqual([1001, 1000]);
  expect(activeExpire(db, keyspace.nowMs, pace, 400).isMoreLikely).toBe(false);
  expect(db.averageTtlMs).toBeGreaterThan(1000);
});

test('replacing a keyspace takes everything over and leaves the other empty', () => {
  const { db, keyspace } = createWorld();
  const other = createWorld().keyspace;
  set(db, 'old', 'v');
  set(other.db(0), 'new', 'v');
  set(other.db(2), '2', 'v');
  keyspace.replaceWith(other);
  expect([get(db, 'old'), get(db, 'new'), get(keyspace.db(2), '2')]).toEqual([undefined, 'v', 'v']);
  expect([other.size, keyspace.size]).toEqual([0, 2]);
});

test('a replica removes by itself only what its own clients let expire', () => {
  const { keyspace, db, expired } = createWorld();
  keyspace.expiryMode = 'ignore';
  set(db, 'of the master', 'v', START + 10);
  keyspace.expiryMode = 'hide';
  set(db, 'own', 'v', START + 10);
  db.setExpire(set(db, 'own later', 'v'), START + 10);
  // Kept through changes of the value and of the entry's place.
  set(db, 'own', 'x'.repeat(300), KEEP_EXPIRY);
  keyspace.expiryMode = 'ignore';
  set(db, 'own later', 'from the master', START + 10);
  keyspace.expiryMode = 'hide';
  expect(keyspace.hasOwnExpiries).toBe(true);
  keyspace.nowMs = unixMs(START + 20);
  expireOwnKeys(db, 100);
  expect(expired).toEqual(['own']);
  expect([db.size, db.volatileCount]).toEqual([2, 2]);
});
