/**
 * What a migration remembers on this machine, so that the next run goes on with it: which copy of each master is under
 * way. How far a copy is stands on the target.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SLOT_COUNT } from '../../base/index.ts';
import { readWhole, replaceWhole } from '../../io/index.ts';
import { ToolError } from '../errors.ts';
import { isRunning } from '../process-owner.ts';
import { NO_SLOTS, slotsIn } from './ends.ts';

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

/** A master of the source, by what it had when its streams were last known to be right. */
interface MasterRecord {
  /** As text; `-` for one that joined later and whose slots are not settled yet. */
  readonly slots: string;
  /** Undefined before its copy has begun. */
  readonly copy?: CopyRecord;
}

interface StateFile {
  readonly version: 1;
  readonly source: string;
  readonly target: string;
  /** Whether every key of the target is ours. */
  readonly wasEmpty: boolean;
  /** By a key of our own: addresses change with failovers, and slots move. */
  readonly masters: Readonly<Record<string, MasterRecord>>;
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
      masters: {},
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

  /** Whether no master was ever copied. */
  get isNew(): boolean {
    return Object.keys(this.#state.masters).length === 0;
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

  /**
   * Finds the record of each master, of which these are the slots: the one that shares most slots with it. Answers their
   * keys, undefined for a master that nobody knows, and forgets the records that no master goes on with.
   */
  adopt(slots: readonly string[]): {
    readonly keys: readonly (string | undefined)[];
    /** Ids of the copies that were forgotten. */
    readonly orphans: readonly string[];
  } {
    const keys: (string | undefined)[] = slots.map(() => undefined);
    const free = new Map(Object.entries(this.#state.masters));
    const pairs = [...free].flatMap(([key, record]) =>
      slots.map((text, index) => ({ key, index, count: sharedSlots(record.slots, text) })),
    );
    for (const { key, index, count } of pairs.toSorted((a, b) => b.count - a.count)) {
      if (count === 0 || keys[index] !== undefined || !free.delete(key)) continue;
      keys[index] = key;
    }
    for (const key of free.keys()) this.remove(key);
    return { keys, orphans: [...free.values()].flatMap(({ copy }) => copy?.id ?? []) };
  }

  /** A master with these slots; answers its key. On disk when it returns. */
  add(slots: string): string {
    const key = newCopyId();
    this.#set(key, { slots });
    return key;
  }

  /** The master is none any more. On disk when it returns. */
  remove(key: string): void {
    const { [key]: _, ...masters } = this.#state.masters;
    this.#state = { ...this.#state, masters };
    this.#save();
  }

  slotsOf(key: string): string {
    return this.#state.masters[key]?.slots ?? NO_SLOTS;
  }

  /** The masters have these slots now, and no slot is disputed. On disk when it returns. */
  settle(slots: ReadonlyMap<string, string>): void {
    const masters = Object.entries(this.#state.masters).map(
      ([key, record]) => [key, { ...record, slots: slots.get(key) ?? record.slots }] as const,
    );
    this.#state = { ...this.#state, masters: Object.fromEntries(masters), disputedSlots: [] };
    this.#save();
  }

  copyOf(key: string): CopyRecord | undefined {
    return this.#state.masters[key]?.copy;
  }

  /** On disk when it returns. */
  setCopy(key: string, copy: CopyRecord): void {
    this.#set(key, { slots: this.slotsOf(key), copy });
  }

  /** The migration is complete: nothing to go on with. */
  end(): void {
    rmSync(join(this.#dir, STATE), { force: true });
  }

  /** Leaves the folder to the next run. */
  close(): void {
    rmSync(join(this.#dir, PID), { force: true });
  }

  #set(key: string, record: MasterRecord): void {
    this.#state = { ...this.#state, masters: { ...this.#state.masters, [key]: record } };
    this.#save();
  }

  #save(): void {
    replaceWhole(join(this.#dir, STATE), `${JSON.stringify(this.#state, undefined, 2)}\n`);
  }
}

export function newCopyId(): string {
  return randomBytes(8).toString('hex');
}

function sharedSlots(a: string, b: string): number {
  if (a === b) return a === NO_SLOTS ? 0 : SLOT_COUNT;
  const theirs = slotsIn(b);
  return [...slotsIn(a)].filter((slot) => theirs.has(slot)).length;
}

function lock(dir: string): void {
  const path = join(dir, PID);
  const owner = existsSync(path) ? Number(readFileSync(path, 'utf8')) : 0;
  if (isRunning(owner, 'migrate')) {
    throw new ToolError('LOCKED', `Cannot use the folder "${dir}": process ${owner} has it`);
  }
  writeFileSync(path, `${process.pid}\n`);
}
