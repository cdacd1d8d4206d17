/**
 * Slots that move between masters of the source, among them masters that join and leave. Two streams then tell about one
 * slot, and nothing says which of their commands came first: the old master's DEL may arrive after the new one has restored
 * the key. An import shows in the stream (RESTORE-ASKING), the move of a slot without keys in the map. When the moves are
 * over, all runs stand still, the slot's keys are read from its owner at one
 * offset and put in place of what the target has, and the streams leave out what they say of the slot up to there.
 */
import { keySlot } from '../../base/index.ts';
import {
  Deployment,
  type RespClient,
  formatAddress,
  replyFacts,
  replyText,
} from '../../client/index.ts';
import { ToolError } from '../errors.ts';
import { type DatabasePair, isProgressKey } from '../flow/index.ts';
import { clearTarget } from './clear-target.ts';
import { NO_SLOTS, slotsIn, slotsText } from './ends.ts';
import type { KeyFilter } from './key-filter.ts';
import type { RunState } from './run-state.ts';
import { readSlot, sortSlots } from './slot-reader.ts';
import type { SourceRun } from './source-run.ts';

export interface SlotDisputesOptions {
  readonly source: Deployment;
  readonly state: RunState;
  readonly pairs: readonly DatabasePair[];
  /** Keys that are copied; undefined: all. */
  readonly filter: KeyFilter | undefined;
  /** Whether existing keys of the target are replaced. */
  readonly replaces: boolean;
  readonly removesExtra: boolean;
  readonly note: (line: string) => void;
}

interface Goals {
  readonly offsets: ReadonlyMap<SourceRun, number>;
  readonly slots: ReadonlyMap<SourceRun, string>;
}

/** No slot may have begun to move for so long. */
const CALM_MS = 1000;
/** Slots that are read at once. */
const READ_SLOTS = 4;
const OPEN_SLOT = /\[\d+-[<>]-/;

export class SlotDisputes {
  readonly #options: SlotDisputesOptions;
  readonly #slots: Set<number>;
  #lastMs = 0;
  #keyCount = 0;
  /** What each run must have carried out before the slots are settled for good, and the slots they had then. */
  #goals: Goals | undefined;

  constructor(options: SlotDisputesOptions) {
    this.#options = options;
    this.#slots = new Set(options.state.disputedSlots);
  }

  get isEmpty(): boolean {
    return this.#slots.size === 0;
  }

  /** Whether two streams may tell about the slot, and it will be copied anew. */
  has(slot: number): boolean {
    return this.#slots.has(slot);
  }

  /** Remembers slots that were imported, on disk, before their streams go on. */
  add(slots: readonly number[]): void {
    this.#lastMs = performance.now();
    this.#goals = undefined;
    if (slots.every((slot) => this.#slots.has(slot))) return;
    for (const slot of slots) this.#slots.add(slot);
    this.#options.state.disputedSlots = [...this.#slots];
  }

  /** Looks for slots that other runs have now than those that were copied; the map of the source was read just before. */
  notice(runs: readonly SourceRun[]): void {
    const { source } = this.#options;
    if (!source.isCluster) return;
    const moved: number[] = [];
    for (const run of runs) {
      const slots = slotsAt(source, run.address);
      if (slots === run.slots) continue;
      const had = slotsIn(run.slots);
      for (const slot of slotsIn(slots)) {
        if (!had.has(slot) && !this.#slots.has(slot)) moved.push(slot);
      }
    }
    if (moved.length > 0) this.add(moved);
  }

  /**
   * After all runs have ended: whether nothing moved that they do not know of, and nothing moves. Throws ClientError.
   */
  async isStill(runs: readonly SourceRun[]): Promise<boolean> {
    if (!this.#options.source.isCluster) return true;
    const isMoving = await this.#areMoving();
    this.notice(runs);
    return this.isEmpty && !isMoving;
  }

  /** Settles what can be settled now. Answers whether slots were settled for good. Throws ToolError and ClientError. */
  async settle(runs: readonly SourceRun[]): Promise<boolean> {
    if (this.isEmpty || !runs.every((run) => run.isCaughtUp)) return false;
    if (this.#goals !== undefined) return this.#finish(runs, this.#goals);
    if (performance.now() - this.#lastMs < CALM_MS || (await this.#areMoving())) return false;
    const slots = [...this.#slots];
    await Promise.all(runs.map((run) => run.hold()));
    try {
      await this.#copy(slots, runs);
    } finally {
      for (const run of runs) run.release();
    }
    return false;
  }

  /** Whether any master of the source has an open slot. */
  async #areMoving(): Promise<boolean> {
    const { source } = this.#options;
    await source.refresh();
    for (const [master] of source.masters().entries()) {
      const client = await source.connection(master);
      const lines = replyText(await client.call('CLUSTER', 'NODES')).split('\n');
      if (OPEN_SLOT.test(lines.find((line) => line.includes('myself')) ?? '')) return true;
    }
    return false;
  }

  async #copy(slots: readonly number[], runs: readonly SourceRun[]): Promise<void> {
    const { source } = this.#options;
    const byAddress = new Map(
      runs.filter(({ isOver }) => !isOver).map((run) => [run.address, run]),
    );
    const masters = source.masters().map((endpoint) => byAddress.get(formatAddress(endpoint)));
    // Somebody has slots whom nobody follows yet.
    if (masters.includes(undefined)) return;
    const offsets = new Map<SourceRun, number>();
    for (const run of runs) {
      const master = masters.indexOf(run);
      const offset = master < 0 ? Infinity : await offsetOf(await source.connection(master));
      for (const slot of slots) run.leaveOut(slot, offset);
      if (master >= 0) offsets.set(run, offset);
    }
    await this.#clear(slots, runs);
    const lost = slots.find((slot) => masters[source.ownerOfSlot(slot)] === undefined);
    if (lost !== undefined)
      throw new ToolError('NODE_FAILED', `Nobody has slot ${lost} of the source`);
    this.#keyCount = 0;
    for (const [owner, run] of masters.entries()) {
      const theirs = slots.filter((slot) => source.ownerOfSlot(slot) === owner);
      if (run === undefined || theirs.length === 0) continue;
      const offset = await this.#copyOf(run, await source.connection(owner), theirs);
      offsets.set(run, Math.max(offset, offsets.get(run) ?? 0));
    }
    this.#goals = { offsets, slots: this.#slotsNow(runs) };
  }

  /** Copies slots of one master; answers the last offset at which one was read. */
  async #copyOf(run: SourceRun, client: RespClient, slots: readonly number[]): Promise<number> {
    const { filled, empty } = await sortSlots(client, slots);
    let last = 0;
    const done = (slot: number, offset: number): void => {
      run.leaveOut(slot, offset);
      last = Math.max(last, offset);
    };
    for (const { slots: some, offset } of empty) for (const slot of some) done(slot, offset);
    for (let at = 0; at < filled.length; at += READ_SLOTS) {
      const copies = filled.slice(at, at + READ_SLOTS).map(async (slot) => {
        const { keys, offset } = await readSlot(client, slot);
        const wanted = keys.filter(({ name }) => this.#admits(name, 0, name.length));
        await run.put(wanted);
        done(slot, offset);
        this.#keyCount += wanted.length;
      });
      await Promise.all(copies);
    }
    return last;
  }

  #admits(buf: Buffer, at: number, size: number): boolean {
    return !isProgressKey(buf, at, size) && this.#options.filter?.admits(buf, at, size) !== false;
  }

  /** Takes away what the target has in these slots, where that can only be ours. */
  async #clear(slots: readonly number[], runs: readonly SourceRun[]): Promise<void> {
    const { pairs, state, replaces, removesExtra, note } = this.#options;
    const [first] = runs;
    if (first === undefined) return;
    if (!replaces && !state.wasEmpty) {
      throw new ToolError(
        'NODES_REFUSED',
        'Cannot copy slots that moved: nobody can tell their keys from those the target had; --on-conflict replace can',
      );
    }
    if (!removesExtra && !state.wasEmpty) {
      note('slots moved; without --remove-extra keys of theirs that were deleted may stay');
      return;
    }
    const wanted = new Set(slots);
    for (const { target: db } of pairs) {
      await clearTarget({ deployment: first.target, db }, ({ buf, at, size }, index) => {
        const [from, length] = [at[index]!, size[index]!];
        return wanted.has(keySlot(buf, from, length)) && this.#admits(buf, from, length);
      });
    }
  }

  #slotsNow(runs: readonly SourceRun[]): ReadonlyMap<SourceRun, string> {
    return new Map(runs.map((run) => [run, slotsAt(this.#options.source, run.address)]));
  }

  /** The streams are past the moment of the copy: the masters are remembered by the slots that they have now. */
  async #finish(runs: readonly SourceRun[], { offsets, slots }: Goals): Promise<boolean> {
    if (!runs.every((run) => run.hasApplied(offsets.get(run) ?? 0))) return false;
    const { source, state, note } = this.#options;
    await source.refresh();
    const now = this.#slotsNow(runs);
    if (runs.some((run) => now.get(run) !== slots.get(run))) {
      this.#goals = undefined;
      return false;
    }
    const { size } = this.#slots;
    note(`${size} slots moved on the source; their ${this.#keyCount} keys were copied again`);
    this.#slots.clear();
    this.#goals = undefined;
    state.settle(new Map(runs.map((run) => [run.key, now.get(run) ?? NO_SLOTS])));
    return true;
  }
}

/** The slots of the master at this address, as text; `-` when it has none any more. */
function slotsAt(source: Deployment, address: string): string {
  return slotsText(
    source,
    source.masters().findIndex((each) => formatAddress(each) === address),
  );
}

async function offsetOf(client: RespClient): Promise<number> {
  return Number(replyFacts(await client.call('INFO', 'replication')).get('master_repl_offset'));
}
