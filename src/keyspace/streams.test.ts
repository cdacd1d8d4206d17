// Streams beside a naive model: any order of additions, deletions and trims, blocks of any limits;
// what is read back both ways, as listpacks, in a copy; and that nothing is left of a deleted one.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isListpackSound } from '../rdb/index.ts';
import { Arena, NONE, type Ref } from './arena.ts';
import { KeyHash } from './hash.ts';
import { seededRng } from '../base/index.ts';
import { Rubbish } from './large-values.ts';
import type { StreamLimits } from './stream-core.ts';
import type { StreamFields } from './stream-block.ts';
import { StreamId } from './stream-id.ts';
import { Streams } from './streams.ts';

const RUNS = { seed: 11, numRuns: 150 };
const ZERO = new StreamId();
const MAX = new StreamId().setMax();

interface Entry {
  readonly id: string;
  readonly fields: readonly string[];
}

class World {
  readonly arena = new Arena();
  readonly rubbish = new Rubbish(() => {});
  readonly streams = new Streams(this.arena, new KeyHash(seededRng(3)), this.rubbish);
  readonly stream: Ref = this.streams.create();
  readonly limits: StreamLimits;

  constructor(bytesMax: number, entriesMax: number) {
    this.limits = {
      'stream-node-max-bytes': bytesMax,
      'stream-node-max-entries': entriesMax,
    };
  }

  add(id: StreamId, fields: readonly string[]): void {
    this.streams.append(this.stream, id, fieldsOf(fields), this.limits);
  }

  entries(stream: Ref = this.stream, from = ZERO, to = MAX, isReverse = false): Entry[] {
    const { cursor } = this.streams;
    const found: Entry[] = [];
    cursor.open(stream, from, to, isReverse);
    while (cursor.next()) {
      const fields: string[] = [];
      for (let i = 0; i < cursor.fieldCount; i++) {
        cursor.nextField();
        for (const each of [cursor.name, cursor.value]) {
          fields.push(
            Buffer.from(each.buf.subarray(each.at, each.at + each.size)).toString('latin1'),
          );
        }
      }
      found.push({ id: cursor.id.text(), fields });
    }
    return found;
  }

  /** The stream made again from its listpacks. */
  reloaded(): Ref {
    const { streams } = this;
    const copy = streams.create();
    const id = new StreamId();
    streams.forEachBlock(this.stream, (block) => {
      const { buf, at, size } = streams.listpack(block);
      expect(isListpackSound(buf, at, size)).toBe(true);
      expect(size).toBe(streams.blocks.listpackBytes(block));
      const bytes = Buffer.from(buf.subarray(at, at + size));
      streams.loadBlock(copy, streams.blocks.readFirstId(block, id), { buf: bytes, at: 0, size });
      const loaded = streams.ids.at(streams.blocksRoot(copy), streams.blockCount(copy) - 1);
      const again = streams.listpack(loaded);
      expect(Buffer.from(again.buf.subarray(0, again.size))).toEqual(bytes);
    });
    return copy;
  }

  free(stream: Ref): void {
    this.rubbish.add(6, { first: stream, second: 0 }, this.streams);
    while (this.rubbish.collect(10, () => this.streams));
  }
}

function fieldsOf(fields: readonly string[]): StreamFields {
  const buf = Buffer.from(fields.join(''), 'latin1');
  const size = Int32Array.from(fields, (each) => each.length);
  const at = Int32Array.from(size);
  for (let i = 0, end = 0; i < size.length; i++) {
    at[i] = end;
    end += size[i]!;
  }
  return { buf, at, size, first: 0, pairs: fields.length / 2, bytes: buf.length };
}

function idOf(ms: number | bigint, seq: number | bigint): StreamId {
  return new StreamId().setMs(ms).setSeq(seq);
}

const value = fc.oneof(
  fc.string({ maxLength: 8 }),
  fc.integer().map(String),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
  fc.nat(5000).map((size) => 'x'.repeat(size)),
);
const latin = value.map((text) => Buffer.from(text).toString('latin1'));
const names = fc.constantFrom(['a'], ['a', 'b'], ['field', '12'], ['a', 'c']);
const action = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('add' as const),
      step: fc.nat(5),
      names,
      values: fc.tuple(latin, latin),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), at: fc.nat(200) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('trim' as const),
      length: fc.nat(60),
      isApproximate: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('trimId' as const), ms: fc.nat(300) }) },
);
const limits = fc.record({
  bytes: fc.constantFrom(0, 60, 300, 4096),
  entries: fc.constantFrom(0, 1, 2, 7, 100),
});

test('any program of additions, deletions and trims leaves what the model has', () => {
  fc.assert(
    fc.property(limits, fc.array(action, { maxLength: 120 }), ({ bytes, entries }, actions) => {
      const world = new World(bytes, entries);
      const { streams, stream } = world;
      let model: Entry[] = [];
      let ms = 1;
      for (const each of actions) {
        if (each.kind === 'add') {
          ms += each.step;
          const id = each.step === 0 ? streams.readLastId(stream, new StreamId()) : idOf(ms, 0);
          if (each.step === 0) id.increment();
          const fields = each.names.flatMap((name, i) => [name, each.values[i]!]);
          world.add(id, fields);
          model.push({ id: id.text(), fields });
        } else if (each.kind === 'delete') {
          const target = model[each.at % Math.max(1, model.length)];
          if (target === undefined) continue;
          const [idMs, idSeq] = target.id.split('-').map(Number);
          expect(streams.delete(stream, idOf(idMs!, idSeq!))).toBe(true);
          expect(streams.has(stream, idOf(idMs!, idSeq!))).toBe(false);
          model = model.filter((entry) => entry !== target);
        } else if (each.kind === 'trim') {
          const { length, isApproximate } = each;
          const count = streams.trim(stream, {
            kind: 'maxLength',
            length,
            isApproximate,
            limit: 0,
          });
          if (!isApproximate) expect(count).toBe(Math.max(0, model.length - length));
          model = model.slice(count);
        } else {
          const rule = {
            kind: 'minId',
            id: idOf(each.ms, 0),
            isApproximate: false,
            limit: 0,
          } as const;
          const count = streams.trim(stream, rule);
          expect(count).toBe(
            model.filter((entry) => Number(entry.id.split('-')[0]) < each.ms).length,
          );
          model = model.slice(count);
        }
      }
      expect(world.entries()).toEqual(model);
      expect(world.entries(stream, ZERO, MAX, true)).toEqual(model.toReversed());
      expect(streams.length(stream)).toBe(model.length);
      expect(streams.readFirstId(stream, new StreamId()).text()).toBe(model[0]?.id ?? '0-0');
      const from = idOf(ms >> 2, 0);
      const to = idOf(ms >> 1, 0);
      const inside = model.filter(({ id }) => {
        const [idMs, idSeq] = id.split('-').map(Number);
        const own = idOf(idMs!, idSeq!);
        return own.compare(from) >= 0 && own.compare(to) <= 0;
      });
      expect(world.entries(stream, from, to)).toEqual(inside);
      expect(world.entries(stream, from, to, true)).toEqual(inside.toReversed());
      const reloaded = world.reloaded();
      expect(world.entries(reloaded)).toEqual(model);
      const copy = { first: NONE, second: 0 };
      streams.copy({ first: stream, second: 0 }, { large: () => streams }, copy);
      expect(world.entries(copy.first)).toEqual(model);
      for (const each of [stream, reloaded, copy.first]) world.free(each);
      expect(world.arena.usedBytes).toBe(0);
    }),
    RUNS,
  );
});

test('ids of all 64 bits keep their order, their distances and their text', () => {
  const half = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
  fc.assert(
    fc.property(fc.array(fc.tuple(half, half), { minLength: 1, maxLength: 20 }), (pairs) => {
      const sorted = [...new Set(pairs.map(([ms, seq]) => (ms << 64n) | seq))]
        .filter((each) => each > 0n)
        .sort((a, b) => (a < b ? -1 : 1));
      const world = new World(0, 0);
      const texts = sorted.map((each) => {
        world.add(idOf(each >> 64n, BigInt.asUintN(64, each)), ['f', 'v']);
        return `${each >> 64n}-${BigInt.asUintN(64, each)}`;
      });
      expect(world.entries().map(({ id }) => id)).toEqual(texts);
      world.free(world.reloaded());
    }),
    RUNS,
  );
});

test('pending entries are found by group and by consumer, and nothing is left of a destroyed group', () => {
  const ops = fc.array(fc.tuple(fc.nat(3), fc.nat(40), fc.nat(2)), { maxLength: 200 });
  fc.assert(
    fc.property(ops, (program) => {
      const { streams, stream, arena, rubbish } = new World(0, 0);
      const before = arena.usedBytes;
      const { groups } = streams;
      const group = groups.create(stream, view('group'), ZERO, -1);
      const consumers = ['a', 'b', 'ab'].map((name) => groups.createConsumer(group, view(name), 5));
      const model = new Map<number, number>();
      for (const [op, ms, who] of program) {
        const pending = groups.findPending(group, idOf(ms, 1));
        expect(pending !== NONE).toBe(model.has(ms));
        if (op === 0 && pending !== NONE) {
          groups.removePending(group, pending);
          model.delete(ms);
        } else if (op > 0) {
          if (pending === NONE) groups.addPending(group, consumers[who]!, idOf(ms, 1));
          else groups.assign(pending, consumers[who]!);
          model.set(ms, who);
        }
      }
      const sorted = [...model].sort(([a], [b]) => a - b);
      expect(walked(streams, groups.walkPending(group, ZERO))).toEqual(sorted.map(([ms]) => ms));
      for (const [who, consumer] of consumers.entries()) {
        const own = sorted.filter(([, owner]) => owner === who).map(([ms]) => ms);
        expect(walked(streams, groups.walkConsumerPending(consumer, ZERO))).toEqual(own);
        expect(groups.consumerPendingCount(consumer)).toBe(own.length);
      }
      expect(groups.areAllOwned(group)).toBe(true);
      // In the order of names.
      expect(groups.consumerAt(group, 1)).toBe(consumers[2]);
      const copy = { first: NONE, second: 0 };
      streams.copy({ first: stream, second: 0 }, { large: () => streams }, copy);
      const twin = groups.find(copy.first, view('group'));
      expect(walked(streams, groups.walkPending(twin, ZERO))).toEqual(sorted.map(([ms]) => ms));
      expect(groups.deleteConsumer(group, consumers[0]!)).toBe(
        sorted.filter(([, owner]) => owner === 0).length,
      );
      rubbish.add(6, copy, streams);
      streams.destroyGroup(stream, group);
      while (rubbish.collect(3, () => streams));
      expect(arena.usedBytes).toBe(before);
    }),
    RUNS,
  );
});

function view(text: string): { buf: Buffer; at: number; size: number } {
  return { buf: Buffer.from(text), at: 0, size: text.length };
}

function walked(streams: Streams, walk: { ref: Ref; next(): void }): number[] {
  const found: number[] = [];
  for (; walk.ref !== NONE; walk.next()) {
    found.push(Number(streams.groups.readPendingId(walk.ref, new StreamId()).ms));
  }
  return found;
}
