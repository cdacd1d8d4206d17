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
  replyItems,
  replyText,
} from '../../client/index.ts';
import { type Reply, ReplyError } from '../../resp/index.ts';
import { ToolError } from '../errors.ts';
import { type DatabasePair, isProgressKey } from '../flow/index.ts';
import { clearTarget } from './clear-target.ts';
import { NO_SLOTS, slotsIn, slotsText } from './ends.ts';
import type { KeyFilter } from './key-filter.ts';
import { type KeysAtOffset, readAtOnce } from './key-reader.ts';
import type { RunState } from './run-state.ts';
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
const READ_TRIES = 100;
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
    let count = 0;
    for (const slot of slots) {
      const owner = source.ownerOfSlot(slot);
      const run = masters[owner];
      if (run === undefined)
        throw new ToolError('NODE_FAILED', `Nobody has slot ${slot} of the source`);
      const { keys, offset } = await readSlot(await source.connection(owner), slot);
      const wanted = keys.filter(({ name }) => this.#admits(name, 0, name.length));
      await run.put(wanted);
      run.leaveOut(slot, offset);
      offsets.set(run, Math.max(offset, offsets.get(run) ?? 0));
      count += wanted.length;
    }
    this.#goals = { offsets, slots: this.#slotsNow(runs) };
    this.#keyCount = count;
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

/** All keys of a slot at one offset of its master. */
async function readSlot(client: RespClient, slot: number): Promise<KeysAtOffset> {
  let names = await namesIn(client, slot);
  for (let tries = 0; tries < READ_TRIES; tries++) {
    const read = await readAtOnce(client, names, [
      ...['CLUSTER', 'GETKEYSINSLOT'],
      ...[slot, names.length + 1],
    ]);
    if (read instanceof ReplyError)
      throw new ToolError('NODE_FAILED', `Cannot read a slot: ${read.message}`);
    if (areSame(replyItems(read.before), names)) return read;
    // A key came or went in between.
    names = await namesIn(client, slot);
  }
  throw new ToolError(
    'NOT_IN_TIME',
    `The keys of slot ${slot} changed ${READ_TRIES} times while they were read`,
  );
}

async function namesIn(client: RespClient, slot: number): Promise<Buffer[]> {
  const count = Number(await client.call('CLUSTER', 'COUNTKEYSINSLOT', slot));
  const reply = replyItems(await client.call('CLUSTER', 'GETKEYSINSLOT', slot, count + 1));
  return reply.filter((name) => Buffer.isBuffer(name));
}

function areSame(found: readonly Reply[], names: readonly Buffer[]): boolean {
  const known = new Set(names.map((name) => name.toString('latin1')));
  const isKnown = (name: Reply): boolean =>
    Buffer.isBuffer(name) && known.has(name.toString('latin1'));
  return found.length === names.length && found.every(isKnown);
}

async function offsetOf(client: RespClient): Promise<number> {
  return Number(replyFacts(await client.call('INFO', 'replication')).get('master_repl_offset'));
}
