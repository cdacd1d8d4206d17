/**
 * Goal: a list of any size and any node limit is the array that it is told to be, and gives all its
 * memory back. Method: random programs against an array; tiny nodes, so that chunks split and join.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { seededRng } from '../base/index.ts';
import { NONE, type Ref } from './arena.ts';
import { type BytesView, TYPE_LIST } from './entry.ts';
import { Keyspace } from './keyspace.ts';
import { DEFAULT_LIMITS } from './value-host.ts';

const KEY = Buffer.from('a list');
const hooks = { expired: () => {}, touched: () => {}, replaced: () => {}, rubbish: () => {} };

function view(text: string): BytesView {
  const buf = Buffer.from(text, 'latin1');
  return { buf, at: 0, size: buf.length };
}

class ListUnderTest {
  readonly limits: Record<keyof typeof DEFAULT_LIMITS, number> = { ...DEFAULT_LIMITS };
  readonly keyspace: Keyspace = new Keyspace({ rng: seededRng(1), hooks, limits: this.limits });
  model: string[] = [];
  ref: Ref = NONE;

  get #db(): ReturnType<Keyspace['db']> {
    return this.keyspace.db(0);
  }

  get #lists(): ReturnType<Keyspace['db']>['store']['lists'] {
    return this.#db.store.lists;
  }

  push(value: string, isFront: boolean): void {
    if (isFront) this.model.unshift(value);
    else this.model.push(value);
    const db = this.#db;
    this.ref =
      this.ref === NONE
        ? this.#lists.create(db, view('a list'), view(value))
        : this.#lists.push(db, this.ref, view(value), isFront);
  }

  pop(isFront: boolean): void {
    if (this.ref === NONE) return;
    const wanted = isFront ? this.model.shift() : this.model.pop();
    const { buf, at, size } = this.#lists.readEnd(this.ref, isFront);
    expect(Buffer.from(buf.subarray(at, at + size)).toString('latin1')).toBe(wanted);
    if (this.#lists.size(this.ref) === 1) this.#drop();
    else this.ref = this.#lists.pop(this.#db, this.ref, isFront);
  }

  insert(where: number, value: string, isBefore: boolean): void {
    if (this.ref === NONE) return;
    const index = where % this.model.length;
    this.model.splice(isBefore ? index : index + 1, 0, value);
    this.#lists.cursor.seek(this.ref, index);
    this.ref = this.#lists.insert(this.#db, this.ref, view(value), isBefore);
  }

  replace(where: number, value: string): void {
    if (this.ref === NONE) return;
    const index = where % this.model.length;
    this.model[index] = value;
    this.ref = this.#lists.replace(this.#db, this.ref, index, view(value));
  }

  removeMatching(value: string, max: number, isFromBack: boolean): void {
    if (this.ref === NONE) return;
    let left = max;
    const keeps = (other: string): boolean => other !== value || left-- <= 0;
    this.model = isFromBack
      ? this.model.toReversed().filter(keeps).toReversed()
      : this.model.filter(keeps);
    const sizeBefore = this.#lists.size(this.ref);
    const { buf, at, size } = view(value);
    this.#lists.matcher.set(buf, at, size);
    this.ref = this.#lists.removeMatching(this.#db, this.ref, max, isFromBack);
    expect(this.#lists.removedCount).toBe(sizeBefore - this.model.length);
    if (this.model.length === 0) this.#drop();
  }

  trim(where: number, isFront: boolean): void {
    if (this.ref === NONE) return;
    const count = where % this.model.length;
    this.model = isFront ? this.model.slice(count) : this.model.slice(0, this.model.length - count);
    this.ref = this.#lists.trim(this.#db, this.ref, count, isFront);
    while (this.keyspace.collect(2));
  }

  /** The list is the model, by every way to read it. */
  check(): void {
    const db = this.#db;
    expect(db.find(KEY, 0, KEY.length)).toBe(this.ref);
    if (this.ref === NONE) return;
    const lists = this.#lists;
    expect(lists.size(this.ref)).toBe(this.model.length);
    const seen: string[] = [];
    lists.forEach(this.ref, ({ buf, at, size }) =>
      seen.push(Buffer.from(buf.subarray(at, at + size)).toString('latin1')),
    );
    expect(seen).toEqual(this.model);
    const { cursor } = lists;
    for (let i = 0; i < this.model.length; i += 1 + (this.model.length >> 4)) {
      cursor.seek(this.ref, i);
      const { buf, at, size } = cursor.readForward();
      expect(Buffer.from(buf.subarray(at, at + size)).toString('latin1')).toBe(this.model[i]);
    }
    cursor.seekEnd(this.ref, false);
    for (let i = this.model.length - 1; i >= 0; i--) {
      cursor.element.read(cursor.buf, cursor.pos);
      const { buf, at, size } = cursor.element;
      expect(Buffer.from(buf.subarray(at, at + size)).toString('latin1')).toBe(this.model[i]);
      expect(cursor.backward()).toBe(i > 0);
    }
  }

  /** A copy in another database is the same list; it goes again. */
  checkCopy(): void {
    if (this.ref === NONE) return;
    const target = this.keyspace.db(1);
    const copy = this.#db.copyTo(this.ref, target, KEY, 0, KEY.length);
    expect(target.entries.type(copy)).toBe(TYPE_LIST);
    const seen: string[] = [];
    target.store.lists.forEach(copy, ({ buf, at, size }) =>
      seen.push(Buffer.from(buf.subarray(at, at + size)).toString('latin1')),
    );
    expect(seen).toEqual(this.model);
    target.delete(copy);
    while (this.keyspace.collect(3));
    expect(target.store.arena.usedBytes).toBe(0);
  }

  end(): void {
    if (this.ref !== NONE) this.#db.delete(this.ref);
    while (this.keyspace.collect(3));
    expect(this.#db.store.arena.usedBytes).toBe(0);
  }

  #drop(): void {
    this.#db.drop(this.ref);
    this.ref = NONE;
    this.model = [];
  }
}

const value = fc.oneof(
  fc.integer({ min: -5, max: 5 }).map(String),
  fc.maxSafeInteger().map(String),
  fc.string({ maxLength: 8, unit: 'binary-ascii' }),
  fc.nat(300).map((size) => 'x'.repeat(size)),
  fc.constantFrom('y'.repeat(5000), 'z'.repeat(9000), '9223372036854775807', '007', '-0'),
);
const isFront = fc.boolean();
const max = fc.constantFrom(1, 3, Infinity);
const step = fc.oneof(
  { weight: 16, arbitrary: fc.tuple(fc.constant('push' as const), value, isFront) },
  { weight: 4, arbitrary: fc.tuple(fc.constant('pop' as const), isFront) },
  { weight: 8, arbitrary: fc.tuple(fc.constant('insert' as const), fc.nat(), value, isFront) },
  { weight: 6, arbitrary: fc.tuple(fc.constant('replace' as const), fc.nat(), value) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('remove' as const), value, max, isFront) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('trim' as const), fc.nat(), isFront) },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.constant('fill' as const), fc.constantFrom(-1, -2, 1, 2, 5, 128)),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constant('plain' as const), fc.constantFrom(1, 100, 2 ** 30)),
  },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function run(list: ListUnderTest, each: Step): void {
  switch (each[0]) {
    case 'push':
      return list.push(each[1], each[2]);
    case 'pop':
      return list.pop(each[1]);
    case 'insert':
      return list.insert(each[1], each[2], each[3]);
    case 'replace':
      return list.replace(each[1], each[2]);
    case 'remove':
      return list.removeMatching(each[1], each[2], each[3]);
    case 'trim':
      return list.trim(each[1], each[2]);
    case 'fill':
      list.limits['list-max-listpack-size'] = each[1];
      return;
    case 'plain':
      list.keyspace.plainElementBytes = each[1];
  }
}

test('a random program leaves the list that an array would be, and no memory', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300, size: 'max' }), (steps) => {
      const list = new ListUnderTest();
      for (const each of steps) run(list, each);
      list.check();
      list.checkCopy();
      list.end();
    }),
    { numRuns: 60 },
  );
});

test('every step of a random program leaves a sound list', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40, size: 'max' }), (steps) => {
      const list = new ListUnderTest();
      list.limits['list-max-listpack-size'] = 3;
      for (const each of steps) {
        run(list, each);
        list.check();
      }
      list.end();
    }),
    { numRuns: 40 },
  );
});
