/**
 * Expiry during the full phase. A key of the snapshot may be renewed by a write that waits in the spool: if it expired
 * on the target meanwhile, that write would come too late and the key be lost. So keys that expire before long get their
 * time with a shift of decades, and their right one when the stream has been caught up with, unless it gave them another
 * meanwhile.
 */
import type { Deployment } from '../../client/index.ts';
import {
  type Abilities,
  type ExpiryQuestion,
  type KeyBatch,
  ask,
  expiryQuestion,
} from '../flow/index.ts';
import { KeyFile } from './key-file.ts';

/** Some 35 years. */
const SHIFT_MS = 2 ** 40;
/** Keys that expire later are not in danger. */
const HORIZON_MS = 7 * 24 * 3600 * 1000;

export class DeferredExpiry {
  readonly #file: KeyFile;
  readonly #startUnixMs: number;
  /** Whether keys may have a shifted time. */
  isPending = false;

  /** `path`: a file of its own for the keys. */
  constructor(path: string, startUnixMs: number) {
    this.#file = new KeyFile(path);
    this.#startUnixMs = startUnixMs;
  }

  /** Begins anew, or with the keys that an earlier run has put into the file. */
  open(isGoingOn: boolean): void {
    this.#file.open(isGoingOn);
    this.isPending = true;
  }

  /** What to restore a key with that expires at this time. */
  expiryFor(expireAtUnixMs: number): number {
    return this.#isNear(expireAtUnixMs) ? expireAtUnixMs + SHIFT_MS : expireAtUnixMs;
  }

  #isNear(expireAtUnixMs: number): boolean {
    return expireAtUnixMs <= this.#startUnixMs + HORIZON_MS;
  }

  /** The key in database `db` may have a shifted time. */
  add(db: number, buf: Buffer, at: number, size: number): void {
    this.#file.add(db, buf, at, size);
  }

  /** What was added outlives this process when it returns. */
  keep(): void {
    this.#file.keep();
  }

  /** What was added is on disk when it returns. */
  save(): void {
    this.#file.save();
  }

  /**
   * Gives every key on the target its right time. Answers how many could not get it. Can be done again: a target that lost
   * its latest writes needs that. Throws ClientError.
   */
  async settle(deployment: Deployment, abilities: Pick<Abilities, 'knows'>): Promise<number> {
    const question = expiryQuestion(abilities);
    let failed = 0;
    for (let position = 0; ;) {
      const { keys, end } = this.#file.read(position);
      if (end === position) break;
      position = end;
      for (const [db, names] of keys) {
        failed += await correct({ deployment, db, question }, names);
      }
    }
    this.isPending = false;
    return failed;
  }

  /** Leaves the file to the next run. */
  close(): void {
    this.#file.close();
  }

  /** Nobody needs the keys any more. */
  remove(): void {
    this.#file.remove();
  }
}

interface Corrected {
  readonly deployment: Deployment;
  readonly db: number;
  readonly question: ExpiryQuestion;
}

async function correct(side: Corrected, keys: readonly Buffer[]): Promise<number> {
  const { question } = side;
  const batch = batchOf(keys);
  const all = keys.map((_, index) => index);
  const times = await ask(side, {
    batch,
    keys: all,
    perKey: question.replyCount,
    write: (out, _, index) => question.write(out, batch, index),
  });
  let failed = 0;
  const rightTimes = new Map<number, number>();
  for (const index of all) {
    const expireAtUnixMs = question.unixMs(times, index, index * question.replyCount);
    if (Number.isNaN(expireAtUnixMs)) failed++;
    // A time of another making is the stream's, and right.
    else if (isShifted(expireAtUnixMs)) rightTimes.set(index, expireAtUnixMs - SHIFT_MS);
  }
  if (rightTimes.size === 0) return failed;
  const shifted = [...rightTimes.keys()];
  const answers = await ask(side, {
    batch,
    keys: shifted,
    perKey: 1,
    write: (out, _, index) => {
      out.begin(3);
      out.word('PEXPIREAT');
      out.argument(batch.buf, batch.at[index]!, batch.size[index]!);
      out.word(String(rightTimes.get(index)));
    },
  });
  const isError = (place: number): boolean => answers.bufs[place]![answers.starts[place]!] === 0x2d;
  return failed + shifted.filter((_, place) => isError(place)).length;
}

/** Whether the time without the shift is one that would have been shifted. */
function isShifted(expireAtUnixMs: number): boolean {
  const ahead = expireAtUnixMs - SHIFT_MS - Date.now();
  return ahead <= HORIZON_MS && ahead > -SHIFT_MS / 2;
}

function batchOf(keys: readonly Buffer[]): KeyBatch {
  const at: number[] = [];
  let end = 0;
  for (const key of keys) {
    at.push(end);
    end += key.length;
  }
  return { buf: Buffer.concat(keys), at, size: keys.map((key) => key.length) };
}
