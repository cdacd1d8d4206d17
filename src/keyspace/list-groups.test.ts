/**
 * Goal: in lists of many groups every index is found, and no group is wrong or left over. Method:
 * programs that grow and shrink a list of small chunks in runs, each at one place, against an array.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ListpackElement, ListpackReader } from '../rdb/index.ts';
import { Arena, NONE, type Ref } from './arena.ts';
import { ListChunks } from './list-chunks.ts';
import { ListMiddle } from './list-middle.ts';
import { CHUNKS, COUNT, FIRST, GROUP, LAST, NEXT, PREVIOUS, getWord } from './list-words.ts';

class LongList {
  readonly arena: Arena = new Arena();
  readonly chunks: ListChunks = new ListChunks(this.arena);
  readonly middle: ListMiddle = new ListMiddle(this.chunks);
  readonly list: Ref = this.chunks.create();
  model: number[] = [];
  readonly #limits = { bytes: 100, count: 2 };
  readonly #element = new ListpackElement();
  readonly #reader = new ListpackReader();
  #next = 0;

  push(isFront: boolean): void {
    this.#element.setInt(++this.#next);
    if (isFront) this.model.unshift(this.#next);
    else this.model.push(this.#next);
    this.chunks.push(this.list, this.#element, isFront, this.#limits);
  }

  pop(isFront: boolean): void {
    if (this.model.length === 0) return;
    if (isFront) this.model.shift();
    else this.model.pop();
    this.chunks.pop(this.list, isFront);
  }

  insert(index: number): void {
    if (index >= this.model.length) return this.push(false);
    this.#element.setInt(++this.#next);
    this.model.splice(index, 0, this.#next);
    this.chunks.seek(this.list, index);
    const { chunk, pos } = this.chunks;
    this.middle.insert(this.list, chunk, pos, this.#element, this.#limits);
  }

  remove(index: number): void {
    if (index >= this.model.length) return;
    this.model.splice(index, 1);
    this.chunks.seek(this.list, index);
    const { chunk, pos } = this.chunks;
    this.middle.remove(this.list, chunk, pos, this.#limits);
  }

  trim(count: number, isFront: boolean): void {
    if (count >= this.model.length) return;
    this.model = isFront ? this.model.slice(count) : this.model.slice(0, this.model.length - count);
    const gone = this.chunks.trim(this.list, count, isFront);
    while (gone !== NONE && this.chunks.dismantle(gone, 3));
  }

  check(): void {
    const { chunks, list } = this;
    expect(chunks.length(list)).toBe(this.model.length);
    const found = this.model.map((_, index) => {
      chunks.seek(list, index);
      this.#reader.read(chunks.bytes(chunks.chunk), chunks.pos);
      return this.#reader.int;
    });
    expect(found).toEqual(this.model);
    this.#checkGroups();
  }

  /** All memory comes back. */
  end(): void {
    while (this.chunks.dismantle(this.list, 5));
    expect(this.arena.usedBytes).toBe(0);
  }

  /** Going along the groups and along the chunks is the same. */
  #checkGroups(): void {
    const get = (ref: Ref, word: number): number => getWord(this.arena, ref, word);
    let chunk = this.chunks.first(this.list);
    let group = chunk === NONE ? NONE : get(chunk, GROUP);
    let before: Ref = NONE;
    let total = 0;
    for (; group !== NONE; group = get(group, NEXT)) {
      expect(get(group, PREVIOUS)).toBe(before);
      expect(get(group, FIRST)).toBe(chunk);
      let elements = 0;
      let count = 1;
      for (; chunk !== get(group, LAST); chunk = get(chunk, NEXT), count++) {
        expect(get(chunk, GROUP)).toBe(group);
        elements += get(chunk, COUNT);
      }
      expect(get(chunk, GROUP)).toBe(group);
      expect(get(group, COUNT)).toBe(elements + get(chunk, COUNT));
      expect(get(group, CHUNKS)).toBe(count);
      expect(count).toBeLessThanOrEqual(64);
      chunk = get(chunk, NEXT);
      before = group;
      total += count;
    }
    if (before !== NONE) {
      expect(chunk).toBe(NONE);
      expect(this.chunks.groups.chunkCount(this.list)).toBe(total);
    } else if (chunk !== NONE) expect(this.chunks.last(this.list)).toBe(chunk);
  }
}

const kind = fc.constantFrom('push', 'pop', 'insert', 'insert', 'remove', 'remove', 'trim');
const runs = fc.array(fc.tuple(kind, fc.nat(200), fc.nat(1000)), {
  maxLength: 12,
  size: 'max',
});

function go(list: LongList, [what, times, permille]: [string, number, number]): void {
  const where = permille / 1000;
  if (what === 'trim') return list.trim(times, where < 0.5);
  for (let i = 0; i < times; i++) {
    const index = Math.floor(where * list.model.length);
    if (what === 'push') list.push(where < 0.5);
    else if (what === 'pop') list.pop(where < 0.5);
    else if (what === 'insert') list.insert(index);
    else list.remove(index);
  }
}

test('every index of a list of many groups is found, whatever became of them', () => {
  fc.assert(
    fc.property(fc.nat(700), fc.boolean(), runs, (size, isFront, steps) => {
      const list = new LongList();
      for (let i = 0; i < size; i++) list.push(isFront);
      for (const each of steps) {
        go(list, each);
        list.check();
      }
      list.end();
    }),
    { numRuns: 60 },
  );
});

test('lists that lose most of their elements keep few groups', () => {
  const list = new LongList();
  for (let i = 0; i < 4000; i++) list.push(false);
  for (let i = 0; i < 3900; i++) list.remove((i * 7919) % list.model.length);
  list.check();
  const { chunks, arena } = list;
  let groups = 0;
  let group = getWord(arena, chunks.first(list.list), GROUP);
  for (; group !== NONE; group = getWord(arena, group, NEXT)) groups++;
  expect(groups).toBeLessThanOrEqual(2 + 2 * Math.ceil(chunks.groups.chunkCount(list.list) / 32));
  list.end();
});
