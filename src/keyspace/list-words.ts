/** The words of large lists: of a list, its chunks and their groups, which are blocks of the arena. */
import { type Arena, type Ref, SLAB_SHIFT, UNIT_MASK } from './arena.ts';

// Words of a list.
export const HEAD = 0;
export const TAIL = 1;
export const LENGTH = 2;
export const LIST_BYTES = 12;

// Words of a chunk and of a group alike: its neighbours, and its elements.
export const PREVIOUS = 0;
export const NEXT = 1;
export const COUNT = 2;

// More words of a chunk: where its elements start and end in the block, the block's size, its group.
export const START = 3;
export const END = 4;
export const CAPACITY = 5;
export const GROUP = 6;
/** Bytes of a chunk before the elements. */
export const CHUNK_HEAD_BYTES = 28;

// More words of a group: its first and last chunk, and how many they are.
export const FIRST = 3;
export const LAST = 4;
export const CHUNKS = 5;
export const GROUP_BYTES = 24;

export function getWord(arena: Arena, ref: Ref, word: number): number {
  return arena.i32[ref >>> SLAB_SHIFT]![((ref & UNIT_MASK) << 1) + word]!;
}

export function putWord(arena: Arena, ref: Ref, word: number, value: number): void {
  arena.i32[ref >>> SLAB_SHIFT]![((ref & UNIT_MASK) << 1) + word] = value;
}
