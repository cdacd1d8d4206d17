/**
 * Slots that move between masters of the source. Two streams then tell about one slot, and nothing says which of their
 * commands came first: the old master's DEL may arrive after the new one has restored the key. An import shows in the
 * stream (RESTORE-ASKING). When the moves are over, all runs stand still, the slot's keys are read from its owner at one
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
import type { DatabasePair } from '../flow/index.ts';
import { clearTarget } from './clear-target.ts';
import { slotsText } from './ends.ts';
import type { RunState } from './run-state.ts';
import type { SlotKey } from './slot-key.ts';
import type { SourceRun } from './source-run.ts';

export interface SlotDisputesOptions {
  readonly source: Deployment;
  readonly state: RunState;
  readonly pairs: readonly DatabasePair[];
  readonly note: (line: string) => void;
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
  /** What each run must have carried out before the slots are settled for good. */
  #goals: ReadonlyMap<SourceRun, number> | undefined;

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

  /** Settles what can be settled now. Throws ToolError and ClientError. */
  async settle(runs: readonly SourceRun[]): Promise<void> {
    if (this.isEmpty || !runs.every((run) => run.isCaughtUp)) return;
    if (this.#goals !== undefined) return this.#finish(runs, this.#goals);
    if (performance.now() - this.#lastMs < CALM_MS || (await this.#areMoving())) return;
    const slots = [...this.#slots];
    await Promise.all(runs.map((run) => run.hold()));
    try {
      await this.#copy(slots, runs);
    } finally {
      for (const run of runs) run.release();
    }
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
    const { source, pairs } = this.#options;
    const byAddress = new Map(runs.map((run) => [run.address, run]));
    const goals = new Map<SourceRun, number>();
    for (const [master, endpoint] of source.masters().entries()) {
      const run = byAddress.get(formatAddress(endpoint));
      if (run === undefined) {
        throw new ToolError(
          'NODES_REFUSED',
          `Cannot follow ${formatAddress(endpoint)}: it has slots of the source since this run began; the next run copies it`,
        );
      }
      const offset = await offsetOf(await source.connection(master));
      for (const slot of slots) run.leaveOut(slot, offset);
      goals.set(run, offset);
    }
    const [first] = runs;
    if (first === undefined) return;
    const wanted = new Set(slots);
    for (const { target: db } of pairs) {
      await clearTarget({ deployment: first.target, db }, ({ buf, at, size }, index) =>
        wanted.has(keySlot(buf, at[index]!, size[index]!)),
      );
    }
    let count = 0;
    for (const slot of slots) {
      const owner = source.ownerOfSlot(slot);
      const endpoint = source.masters()[owner];
      const run = endpoint === undefined ? undefined : byAddress.get(formatAddress(endpoint));
      if (run === undefined)
        throw new ToolError('NODE_FAILED', `Nobody has slot ${slot} of the source`);
      const { keys, offset } = await readSlot(await source.connection(owner), slot);
      await run.put(keys);
      run.leaveOut(slot, offset);
      goals.set(run, Math.max(offset, goals.get(run) ?? 0));
      count += keys.length;
    }
    this.#goals = goals;
    this.#keyCount = count;
  }

  /** The streams are past the moment of the copy: the masters are remembered by the slots that they have now. */
  #finish(runs: readonly SourceRun[], goals: ReadonlyMap<SourceRun, number>): void {
    if (!runs.every((run) => run.hasApplied(goals.get(run) ?? 0))) return;
    const { source, state, note } = this.#options;
    const { size } = this.#slots;
    note(`${size} slots moved on the source; their ${this.#keyCount} keys were copied again`);
    const names = runs.map(
      (run) => [run.slots, run.takeSlots(slotsAt(source, run.address))] as const,
    );
    this.#slots.clear();
    this.#goals = undefined;
    state.rename(new Map(names));
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
async function readSlot(
  client: RespClient,
  slot: number,
): Promise<{ readonly keys: readonly SlotKey[]; readonly offset: number }> {
  let names = await namesIn(client, slot);
  for (let tries = 0; tries < READ_TRIES; tries++) {
    const count = names.length + 1;
    const replies = await client.pipeline([
      ['MULTI'],
      ['CLUSTER', 'GETKEYSINSLOT', slot, count],
      ...names.flatMap((name) => [
        ['DUMP', name],
        ['PEXPIRETIME', name],
      ]),
      ['INFO', 'replication'],
      ['EXEC'],
    ]);
    const results = replyItems(replies.at(-1));
    const found = replyItems(results[0]);
    if (results.length === 0) throw refusal(replies);
    if (areSame(found, names)) {
      const keys = names.flatMap((name, i) => keyOf(name, results[1 + 2 * i], results[2 + 2 * i]));
      return { keys, offset: Number(replyFacts(results.at(-1)).get('master_repl_offset')) };
    }
    // A key came or went in between.
    names = await namesIn(client, slot);
  }
  throw new ToolError(
    'NOT_IN_TIME',
    `The keys of slot ${slot} changed ${READ_TRIES} times while they were read`,
  );
}

function refusal(replies: readonly Reply[]): ToolError {
  const error = replies.find((reply) => reply instanceof ReplyError);
  return new ToolError('NODE_FAILED', `Cannot read a slot: ${error?.message ?? 'no answer'}`);
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

function keyOf(name: Buffer, payload: Reply | undefined, expiry: Reply | undefined): SlotKey[] {
  if (!Buffer.isBuffer(payload)) return [];
  return [{ name, payload, expireAtUnixMs: Math.max(0, Number(expiry)) }];
}

async function offsetOf(client: RespClient): Promise<number> {
  return Number(replyFacts(await client.call('INFO', 'replication')).get('master_repl_offset'));
}
