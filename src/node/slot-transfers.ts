/** Carries out atomic moves of slots: the exports of this node, and what other nodes send it to import. */
import { type MonoMs, isSlot } from '../base/index.ts';
import {
  type AdminCommand,
  type AdminResult,
  type Effect,
  type ExportEvent,
  type Input,
  adminErrorText,
  hasSlotBit,
  slotBitmap,
  slotRanges,
} from '../cluster/index.ts';
import type { CommandTable, Session } from '../commands/index.ts';
import { encodeAside } from '../replication/index.ts';
import type { Request } from '../resp/index.ts';
import type { Client } from './client.ts';
import type { ClusterHost, ClusterReplication } from './cluster-host.ts';
import type { Inside } from './inside.ts';
import { NOTE_MS, SlotExportRun, TURN } from './slot-export.ts';
import { type StreamCommand, SlotStream } from './slot-stream.ts';

export type TransferEffect = Extract<
  Effect,
  {
    kind:
      | 'startExport'
      | 'askTurn'
      | 'drainExport'
      | 'sendTakeover'
      | 'endExport'
      | 'shareStrays'
      | 'shareKeep'
      | 'awaitReplicas'
      | 'grantTurn'
      | 'importReady'
      | 'shareTakeover'
      | 'importTaken'
      | 'endImport'
      | 'releaseSlots';
  }
>;

export interface SlotTransfersInit {
  readonly host: ClusterHost;
  readonly replication: ClusterReplication;
  readonly table: CommandTable;
  readonly myId: () => string;
  /** Slots whose keys here are rubbish wherever they are not this node's own. */
  readonly strays: () => Uint8Array | undefined;
  /** Replicas of this node that the majority has not given up: each may be elected in its place, even one out of reach. */
  readonly replicaCount: () => number;
  /** Slots whose keys are being deleted, because they are another's. */
  readonly cleanedSlots: () => Iterable<number>;
  readonly step: (input: Input) => void;
  readonly run: (command: AdminCommand) => AdminResult;
}

const ANNOUNCE_MS = 300;

/** A target's side of the connection. */
interface Incoming {
  readonly name: string;
  readonly slots: Uint8Array;
  readonly clientId: number;
  /** When the machine was told last that the source lives. */
  notedAt: number;
}

export class SlotTransfers {
  readonly #inside: Inside;
  readonly #init: SlotTransfersInit;
  readonly #exports = new Map<string, SlotExportRun>();
  readonly #incoming = new Map<number, Incoming>();
  /** Import that waits for the replicas, and the end of the stream that they must acknowledge. */
  #awaited: { readonly name: string; readonly offset: number } | undefined;
  /** Words about claims that the replicas were told of, by the names of the imports, until these end. */
  readonly #takings = new Map<string, readonly string[]>();
  readonly #stream: SlotStream;
  #announced: readonly string[] = [];
  #announcedAt = 0;

  constructor(inside: Inside, init: SlotTransfersInit) {
    this.#inside = inside;
    this.#init = init;
    this.#stream = new SlotStream(init.table, {
      changed: (unit) => this.#changed(unit),
      flushed: () => {
        for (const run of [...this.#exports.values()]) run.flushed();
      },
    });
  }

  get isExporting(): boolean {
    return this.#exports.size > 0;
  }

  /** A write of this node, as its replicas get it. */
  feed(buf: Buffer, at: number, size: number): void {
    this.#stream.push(buf, at, size);
  }

  #changed(unit: readonly StreamCommand[]): void {
    for (const run of this.#exports.values()) run.changed(unit);
  }

  tick(now: MonoMs): void {
    for (const run of this.#exports.values()) run.tick(now);
    this.#announce(now);
  }

  /**
   * Says again and again in the stream which slots' keys come or go here without being this node's, and once more when
   * that is over: whoever follows the streams of several masters must not take these for changes of the data.
   */
  #announce(now: MonoMs): void {
    const ranges = [...this.#incoming.values()].flatMap(({ slots }) => words(slots));
    for (const slot of this.#init.cleanedSlots()) ranges.push(String(slot), String(slot));
    if (ranges.length === 0 && this.#announced.length === 0) return;
    if (ranges.length > 0 && now - this.#announcedAt < ANNOUNCE_MS) return;
    this.#share('STRAYS', ...(ranges.length > 0 ? ranges : this.#announced));
    this.#announced = ranges;
    this.#announcedAt = now;
  }

  /**
   * What a replica that begins with a snapshot of now must know: whose keys it finds there, and what this node is about
   * to claim. It may be promoted before it hears a word of the stream. Empty when there is nothing.
   */
  get marks(): string {
    const strays = this.#init.strays();
    const ranges = strays === undefined ? [] : words(strays);
    const sentences = [...this.#takings.values()];
    if (ranges.length > 0) sentences.push(['STRAYS', ...ranges]);
    return sentences.map((sentence) => sentence.join(' ')).join(',');
  }

  /** `marks` of our master, with its data. */
  takeMarks(marks: string): void {
    for (const sentence of marks.split(',')) this.hearMaster(sentence.split(' '));
  }

  /** Whether an import waits for replicas: then `check` is to be called whenever one may have acknowledged. */
  get isPending(): boolean {
    return this.#awaited !== undefined;
  }

  check(): void {
    const awaited = this.#awaited;
    if (awaited === undefined) return;
    const { replication } = this.#init;
    const wanted = Math.max(replication.onlineCount, this.#init.replicaCount());
    if (replication.acknowledgedCount(awaited.offset) < wanted) return;
    this.#awaited = undefined;
    this.#import(awaited.name, { kind: 'replicasCaughtUp' });
  }

  carryOut(effect: TransferEffect): void {
    switch (effect.kind) {
      case 'startExport':
        return this.#startExport(effect);
      case 'askTurn':
        return this.#exports.get(effect.name)?.askTurn();
      case 'drainExport':
        return this.#exports.get(effect.name)?.drain();
      case 'sendTakeover':
        return this.#exports.get(effect.name)?.takeOver(effect.epoch);
      case 'endExport':
        this.#exports.get(effect.name)?.close();
        this.#exports.delete(effect.name);
        return;
      case 'shareStrays':
        return this.#share('STRAYS', ...words(effect.slots));
      case 'shareKeep':
        return this.#share('KEEP', String(effect.slot));
      case 'awaitReplicas':
        return this.#await(effect.name);
      case 'grantTurn':
        return this.#clientOf(effect.name)?.reply.simple(TURN);
      case 'importReady':
        return this.#answer(effect.name, (client) => client.reply.int(effect.epoch));
      case 'shareTakeover': {
        const taking = ['TAKING', String(effect.epoch), ...words(effect.slots)];
        this.#takings.set(effect.name, taking);
        this.#share(...taking);
        return this.#await(effect.name);
      }
      case 'importTaken':
        return this.#answer(effect.name, (client) => client.reply.ok());
      case 'endImport':
        return this.#endImport(effect);
      case 'releaseSlots':
        return this.#init.host.releaseWrites();
    }
  }

  /** CLUSTER SYNCSLOTS: the words of the other end of a move. */
  syncSlots(session: Session, request: Request): void {
    const incoming = this.#incoming.get(session.id);
    if (request.is(2, 'establish')) return this.#establish(session, request);
    if (incoming === undefined)
      return session.reply.error('ERR No slot migration on this connection');
    const { name } = incoming;
    if (request.is(2, 'ack')) {
      const { now } = this.#inside;
      if (now - incoming.notedAt >= NOTE_MS) {
        incoming.notedAt = now;
        this.#import(name, { kind: 'acknowledged' });
      }
      return session.reply.ok();
    }
    if (request.is(2, 'turn')) {
      this.#import(name, { kind: 'turnAsked' });
      return session.reply.ok();
    }
    if (request.is(2, 'drain')) {
      session.blocked = { kind: 'outside', deadline: undefined };
      return this.#import(name, { kind: 'drainAsked' });
    }
    if (request.is(2, 'takeover') && request.argc === 4) {
      session.blocked = { kind: 'outside', deadline: undefined };
      return this.#import(name, { kind: 'takeoverAsked', epoch: Number(request.int(3)) });
    }
    session.reply.error('ERR Unknown slot migration request');
  }

  /** Whether the data of an import may change these slots. */
  mayImport(session: Session, slot: number): boolean {
    const incoming = this.#incoming.get(session.id);
    return incoming !== undefined && hasSlotBit(incoming.slots, slot);
  }

  /** A command of an import's data failed here, or its keys do not fit into memory. */
  importFailed(session: Session, reason: string): void {
    const incoming = this.#incoming.get(session.id);
    if (incoming !== undefined) this.#import(incoming.name, { kind: 'broken', reason });
  }

  /** Keys have to go for want of memory: not those that are not ours yet. */
  failImports(reason: string): void {
    for (const { name } of [...this.#incoming.values()]) {
      this.#import(name, { kind: 'broken', reason });
    }
  }

  onClientClosed(client: Client): void {
    const incoming = this.#incoming.get(client.id);
    if (incoming === undefined) return;
    this.#incoming.delete(client.id);
    this.#import(incoming.name, { kind: 'broken', reason: 'the connection to the source broke' });
  }

  #startExport(effect: Extract<TransferEffect, { kind: 'startExport' }>): void {
    const { name, slots, host, port } = effect;
    const told = (event: ExportEvent): void =>
      this.#init.step({ kind: 'exportEvent', name, event });
    const sourceId = this.#init.myId();
    this.#exports.set(
      name,
      new SlotExportRun(this.#inside, { name, sourceId, slots, host, port, told }),
    );
  }

  #establish(session: Session, request: Request): void {
    // Valkey 9 names what we have in order, and goes on otherwise.
    if (request.is(3, 'source')) {
      return session.reply.error('ERR Slots come as a whole from nodes of Slotline only');
    }
    const ranges = slotWords(texts(request, 5));
    if (ranges === undefined || session.role !== 'normal') {
      return session.reply.error('ERR Unknown slot migration request');
    }
    if (this.#init.replication.onlineCount < this.#init.replicaCount()) {
      return session.reply.error('ERR a replica of the target is not in step with it');
    }
    const slots = slotBitmap(ranges);
    const name = request.text(3);
    const result = this.#init.run({ kind: 'importSlots', name, sourceId: request.text(4), slots });
    if (!result.ok) return session.reply.error(`ERR ${adminErrorText(result.error)}`);
    session.role = 'source';
    this.#incoming.set(session.id, { name, slots, clientId: session.id, notedAt: -Infinity });
    session.reply.ok();
  }

  /** What our master says of moves beside its stream of data. */
  hearMaster([verb = '', ...rest]: readonly string[]): void {
    const { step } = this.#init;
    switch (verb.toLowerCase()) {
      case 'ended':
        return step({ kind: 'takeoverShared', claim: undefined });
      case 'keep': {
        const kept = Number(rest[0]);
        return isSlot(kept) ? step({ kind: 'keepShared', slot: kept }) : undefined;
      }
      case 'strays':
        this.#markStrays(rest);
        return;
      case 'taking': {
        const epoch = Number(rest[0]);
        if (!Number.isSafeInteger(epoch)) return;
        const slots = this.#markStrays(rest.slice(1));
        if (slots !== undefined) step({ kind: 'takeoverShared', claim: { slots, epoch } });
      }
    }
  }

  #markStrays(ranges: readonly string[]): Uint8Array | undefined {
    const pairs = slotWords(ranges);
    if (pairs === undefined) return undefined;
    const slots = slotBitmap(pairs);
    this.#init.step({ kind: 'straysShared', slots });
    return slots;
  }

  #share(...args: readonly string[]): void {
    const bytes = encodeAside(args.join(' '));
    this.#init.replication.feed(0, bytes, 0, bytes.length);
  }

  #await(name: string): void {
    const { replication } = this.#init;
    this.#awaited = { name, offset: replication.view.replOffset() };
    replication.requestAcks();
  }

  #endImport(effect: Extract<TransferEffect, { kind: 'endImport' }>): void {
    const { name, reason, isShared } = effect;
    if (this.#awaited?.name === name) this.#awaited = undefined;
    this.#takings.delete(name);
    if (isShared) this.#share('ENDED');
    const client = this.#clientOf(name);
    if (client === undefined) return;
    this.#incoming.delete(client.id);
    if (isShared && reason !== '') return client.close();
    if (reason !== '') {
      client.reply.error(`ERR ${reason}`);
      client.closeAfterReply();
    }
  }

  #answer(name: string, write: (client: Client) => void): void {
    const client = this.#clientOf(name);
    if (client === undefined) return;
    write(client);
    this.#inside.unblock(client);
  }

  #clientOf(name: string): Client | undefined {
    for (const incoming of this.#incoming.values()) {
      if (incoming.name === name) return this.#inside.client(incoming.clientId);
    }
    return undefined;
  }

  #import(name: string, event: Extract<Input, { kind: 'importEvent' }>['event']): void {
    this.#init.step({ kind: 'importEvent', name, event });
  }
}

function words(slots: Uint8Array): string[] {
  return slotRanges(slots).flatMap(([from, to]) => [String(from), String(to)]);
}

function texts(request: Request, from: number): string[] {
  return Array.from({ length: Math.max(0, request.argc - from) }, (_, i) => request.text(from + i));
}

/** Pairs of first and last slot; undefined when they are none. */
function slotWords(numbers: readonly string[]): [number, number][] | undefined {
  if (numbers.length === 0 || numbers.length % 2 !== 0) return undefined;
  const ranges: [number, number][] = [];
  for (let i = 0; i < numbers.length; i += 2) {
    const first = Number(numbers[i]);
    const last = Number(numbers[i + 1]);
    if (!isSlot(first) || !isSlot(last) || first > last) return undefined;
    ranges.push([first, last]);
  }
  return ranges;
}
