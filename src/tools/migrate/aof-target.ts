/** Commands that make each key, as an append-only file or for `redis-cli --pipe`: RESTORE, or several for a large value. */
import { invariant } from '../../base/index.ts';
import { RequestBuffer } from '../../client/index.ts';
import { Abilities, PayloadFitter } from '../flow/index.ts';
import type { FileChoice, FileTarget } from './file-target.ts';
import type { KeyFilter } from './key-filter.ts';
import { SnapshotWriter } from './snapshot-writer.ts';

/** Times go into a file as they are. */
const AS_THEY_ARE = { expiryFor: (time: number): number => time, add: () => undefined };

export class AofTarget implements FileTarget {
  readonly skipped: Set<string> = new Set();
  readonly #choice: FileChoice;
  readonly #filter: KeyFilter | undefined;
  readonly #out: RequestBuffer = new RequestBuffer();
  #writer: SnapshotWriter | undefined;
  #db = -1;
  #earlier = { keys: 0, leftOut: 0 };

  constructor(choice: FileChoice, filter: KeyFilter | undefined) {
    this.#choice = choice;
    this.#filter = filter;
  }

  get keyCount(): number {
    return this.#earlier.keys + (this.#writer?.keyCount ?? 0);
  }

  get leftOutCount(): number {
    return this.#earlier.leftOut + (this.#writer?.leftOutCount ?? 0);
  }

  begin(): void {
    const abilities = Abilities.ofAnything();
    this.#earlier = { keys: this.keyCount, leftOut: this.leftOutCount };
    this.#writer = new SnapshotWriter({
      target: { laneOfKey: (db) => this.#lane(db), everyLane: () => [this.#out] },
      deferred: AS_THEY_ARE,
      conflict: 'replace',
      targetDb: this.#choice.targetDb,
      filter: this.#filter,
      abilities,
      fitter: new PayloadFitter(abilities, 'refuse'),
      quarantine: (args, _db, reason) =>
        this.skipped.add(`${args[1]?.toString() ?? ''}: ${reason}`),
    });
  }

  push(piece: Buffer): string | undefined {
    invariant(this.#writer !== undefined, 'bytes come after a beginning');
    const problem = this.#writer.push(piece);
    for (const what of this.#writer.skipped) this.skipped.add(what);
    return problem;
  }

  get isDone(): boolean {
    return this.#writer?.isDone === true;
  }

  take(): Buffer {
    return this.#out.take();
  }

  end(): Buffer {
    return this.#out.take();
  }

  #lane(db: number): RequestBuffer {
    const out = this.#out;
    if (db === this.#db) return out;
    this.#db = db;
    out.begin(2);
    out.word('SELECT');
    out.word(String(db));
    return out;
  }
}
