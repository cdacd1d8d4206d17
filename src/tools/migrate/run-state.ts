/**
 * What a migration remembers on this machine, so that the next run goes on with it: which copy of each master is under
 * way. How far a copy is stands on the target.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readWhole, replaceWhole } from '../../io/index.ts';
import { ToolError } from '../errors.ts';
import { isRunning } from '../process-owner.ts';

/** The copy of one master. */
export interface CopyRecord {
  /** Names what is stored about it on the target. */
  readonly id: string;
  /** `snapshot`: not whole, so that it can only begin again. */
  readonly phase: 'snapshot' | 'stream';
  /** Slots of the target that hold a mark. */
  readonly markSlots: readonly number[];
  /** Where the stream stood when the snapshot was written: there the target is a copy of one moment. */
  readonly wholeFrom: number;
}

interface StateFile {
  readonly version: 1;
  readonly source: string;
  readonly target: string;
  /** Whether every key of the target is ours. */
  readonly wasEmpty: boolean;
  /** By the slots of the master, as text. */
  readonly copies: Readonly<Record<string, CopyRecord>>;
  /** Slots that moved on the source, whose keys on the target cannot be trusted. */
  readonly disputedSlots: readonly number[];
}

const STATE = 'state.json';
const PID = 'migrate.pid';

export class RunState {
  readonly #dir: string;
  #state: StateFile;

  private constructor(dir: string, state: StateFile) {
    this.#dir = dir;
    this.#state = state;
  }

  /**
   * What an earlier run of the same migration left in `dir`, or a new one. Throws ToolError when another run has the
   * folder, or it is about something else.
   */
  static open(
    dir: string,
    ends: { readonly source: string; readonly target: string },
    isRestart: boolean,
  ): RunState {
    mkdirSync(dir, { recursive: true });
    lock(dir);
    const fresh: StateFile = {
      version: 1,
      ...ends,
      wasEmpty: false,
      copies: {},
      disputedSlots: [],
    };
    const text = readWhole(join(dir, STATE));
    if (text === undefined || isRestart) return new RunState(dir, fresh);
    const state = JSON.parse(text) as StateFile;
    if (state.source !== ends.source || state.target !== ends.target) {
      rmSync(join(dir, PID), { force: true });
      throw new ToolError(
        'USAGE',
        `Cannot use the folder "${dir}": it holds the progress of ${state.source} to ${state.target}; choose another --dir, or forget that with --restart`,
      );
    }
    return new RunState(dir, state);
  }

  get isNew(): boolean {
    return Object.keys(this.#state.copies).length === 0;
  }

  get wasEmpty(): boolean {
    return this.#state.wasEmpty;
  }

  set wasEmpty(wasEmpty: boolean) {
    this.#state = { ...this.#state, wasEmpty };
    this.#save();
  }

  get disputedSlots(): readonly number[] {
    return this.#state.disputedSlots;
  }

  /** On disk when it returns. */
  set disputedSlots(disputedSlots: readonly number[]) {
    this.#state = { ...this.#state, disputedSlots };
    this.#save();
  }

  /** The masters have other slots now. On disk when it returns. */
  rename(slots: ReadonlyMap<string, string>): void {
    const copies = Object.entries(this.#state.copies).map(
      ([name, copy]) => [slots.get(name) ?? name, copy] as const,
    );
    this.#state = { ...this.#state, copies: Object.fromEntries(copies), disputedSlots: [] };
    this.#save();
  }

  copyOf(slots: string): CopyRecord | undefined {
    return this.#state.copies[slots];
  }

  /** On disk when it returns. */
  setCopy(slots: string, record: CopyRecord): void {
    this.#state = { ...this.#state, copies: { ...this.#state.copies, [slots]: record } };
    this.#save();
  }

  /** Ids of copies that nobody goes on with: their masters have other slots now. Forgets them. */
  takeOrphans(slots: readonly string[]): string[] {
    const { copies } = this.#state;
    const kept = Object.entries(copies).filter(([name]) => slots.includes(name));
    const orphans = Object.entries(copies).filter(([name]) => !slots.includes(name));
    if (orphans.length === 0) return [];
    this.#state = { ...this.#state, copies: Object.fromEntries(kept) };
    this.#save();
    return orphans.map(([, { id }]) => id);
  }

  /** The migration is complete: nothing to go on with. */
  end(): void {
    rmSync(join(this.#dir, STATE), { force: true });
  }

  /** Leaves the folder to the next run. */
  close(): void {
    rmSync(join(this.#dir, PID), { force: true });
  }

  #save(): void {
    replaceWhole(join(this.#dir, STATE), `${JSON.stringify(this.#state, undefined, 2)}\n`);
  }
}

export function newCopyId(): string {
  return randomBytes(8).toString('hex');
}

function lock(dir: string): void {
  const path = join(dir, PID);
  const owner = existsSync(path) ? Number(readFileSync(path, 'utf8')) : 0;
  if (isRunning(owner, 'migrate')) {
    throw new ToolError('LOCKED', `Cannot use the folder "${dir}": process ${owner} has it`);
  }
  writeFileSync(path, `${process.pid}\n`);
}
