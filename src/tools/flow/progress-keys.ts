/**
 * Keys that a migration keeps on its target while it is not complete: how far it is, beside the data, so that the two
 * are stored in one step. They are no data: copies and comparisons leave them out.
 */
import { SLOT_COUNT, keySlot } from '../../base/index.ts';

const PREFIX: Buffer = Buffer.from('slotline:migrate:');

/** Whether `buf[at, at + size)` is the name of such a key. */
export function isProgressKey(buf: Buffer, at: number, size: number): boolean {
  if (size < PREFIX.length || buf[at] !== PREFIX[0]) return false;
  return PREFIX.equals(buf.subarray(at, at + PREFIX.length));
}

/** The names of one source's keys. */
export class ProgressKeys {
  readonly #id: string;
  readonly #isCluster: boolean;

  /** `id`: of one copy of one master; letters and digits. */
  constructor(id: string, isCluster: boolean) {
    this.#id = id;
    this.#isCluster = isCluster;
  }

  /** Every slot that can have a key: one that stands for all where there are no slots. */
  get slotCount(): number {
    return this.#isCluster ? SLOT_COUNT : 1;
  }

  /** Holds the offset of the last command in this slot that was stored together with it. */
  position(slot: number): string {
    return `${this.#of(slot)}:at`;
  }

  /** Holds an offset up to which all that its node was sent is carried out. */
  mark(slot: number): string {
    return `${this.#of(slot)}:mark`;
  }

  #of(slot: number): string {
    return `${PREFIX.toString()}${this.#isCluster ? `{${slotTags()[slot]}}` : ''}${this.#id}`;
  }
}

let tags: string[] | undefined;

/** A hash tag for each slot. */
function slotTags(): readonly string[] {
  if (tags !== undefined) return tags;
  const found: string[] = Array.from({ length: SLOT_COUNT });
  const buf = Buffer.alloc(16);
  for (let n = 0, left = SLOT_COUNT; left > 0; n++) {
    const tag = n.toString(36);
    const slot = keySlot(buf, 0, buf.write(tag, 'latin1'));
    if (found[slot] !== undefined) continue;
    found[slot] = tag;
    left--;
  }
  tags = found;
  return found;
}
