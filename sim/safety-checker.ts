/**
 * What must hold at every moment, judged from the bus alone:
 * - no node votes twice in an epoch, restarts included; standing in an epoch is a vote for oneself;
 * - no two masters are elected in one epoch (epochs taken without votes may collide and must part again);
 * - the currentEpoch that a node speaks of never falls while it lives, and a restart never takes it below an epoch in
 *   which it voted, stood or owned slots, or that it was the first to speak of (what it merely heard of may be lost);
 * - slots change hands only towards a newer configEpoch;
 * - a master that was told of a newer owner takes no more writes for the slot, and a replica takes none at all.
 *
 * A limit of the protocol itself: FORCE and TAKEOVER under partitions that move can make two groups of nodes count two
 * different sets of masters, hence two majorities, hence two elections in one epoch. So the scenarios use them only
 * while no partition stands, where all nodes count the same masters.
 */
import type { Slot } from '../src/base/index.ts';
import { NODE_FLAG, type Packet } from '../src/bus/index.ts';
import type { BusListener } from './bus-observer.ts';
import type { Machine } from './machine.ts';
import type { SimWire } from './wire.ts';
import type { World } from './world.ts';

export interface Violation {
  readonly rule:
    | 'votedTwice'
    | 'electedTwice'
    | 'promotedTwice'
    | 'odownBelowQuorum'
    | 'epochFell'
    | 'epochForgotten'
    | 'yieldedToOlder'
    | 'writeAfterNewerOwner'
    | 'writeOnReplica'
    | 'acknowledgedWriteLost'
    | 'inventedValue'
    | 'replicaDiffers'
    | 'unexpectedReply'
    | 'notConverged'
    | 'notWriting'
    | 'cannotStart'
    | 'processFailed';
  readonly atMs: number;
  readonly text: string;
}

/** What a node was last told about a slot. */
interface Claim {
  epoch: number;
  /** Who claims it, by node id. */
  owner: string;
  /** When the node read it. */
  atUs: number;
}

/** What is known of one machine; most of it outlives its process. */
interface NodeRecord {
  readonly machine: Machine;
  nodeId: string;
  /** Epochs in which it voted, with whom it voted for: the address of the candidate, or its own name. */
  readonly votes: Map<number, string>;
  /** Epochs in which it stood. */
  readonly stood: Set<number>;
  /** Highest currentEpoch said in this life. */
  spokenEpoch: number;
  /** No later life may speak of less. */
  durableEpoch: number;
  role: 'master' | 'replica' | 'unknown';
  roleSinceUs: number;
  configEpoch: number;
  /** Watched slots that it claims as a master. */
  owned: Set<Slot>;
  /** The newest claim that it heard of each watched slot, from others. */
  readonly heard: Map<Slot, Claim>;
  /** The same, of this life only and from the owners themselves: what it must act upon. */
  readonly told: Map<Slot, Claim>;
}

/**
 * Replies of a turn leave together a moment later; what arrived in between, above all while the process was stopped, was
 * read after the write had been done.
 */
const TURN_US = 100;

export class SafetyChecker implements BusListener {
  readonly violations: Violation[] = [];
  voteCount = 0;
  /** Messages that said a node failed: writes may be lost from then on, as the protocol allows. */
  failureCount = 0;
  /** Who was elected in which epoch, by machine name. */
  readonly elected: Map<number, string> = new Map<number, string>();
  readonly #world: World;
  /** Highest currentEpoch that anyone spoke of. */
  #highestEpoch = 0;
  readonly #slots: readonly Slot[];
  readonly #records = new Map<string, NodeRecord>();

  /** @param slots the slots that are watched one by one; a few stand for all */
  constructor(world: World, slots: readonly Slot[]) {
    this.#world = world;
    this.#slots = slots;
  }

  add(machine: Machine): void {
    this.#records.set(machine.ip, {
      machine,
      nodeId: '',
      votes: new Map<number, string>(),
      stood: new Set<number>(),
      spokenEpoch: 0,
      durableEpoch: 0,
      role: 'unknown',
      roleSinceUs: 0,
      configEpoch: 0,
      owned: new Set<Slot>(),
      heard: new Map<Slot, Claim>(),
      told: new Map<Slot, Claim>(),
    });
  }

  /** A new process knows what its disk knows. */
  restarted(machine: Machine): void {
    const record = this.#records.get(machine.ip);
    if (record === undefined) return;
    record.spokenEpoch = 0;
    record.role = 'unknown';
    record.owned = new Set<Slot>();
    record.told.clear();
  }

  violate(rule: Violation['rule'], text: string): void {
    this.violations.push({ rule, atMs: this.#world.nowMs, text });
  }

  said(from: SimWire, packet: Packet): void {
    const record = this.#records.get(from.host.ip);
    if (record === undefined) return;
    const { header, body } = packet;
    record.nodeId = header.sender;
    this.#checkEpoch(record, header.currentEpoch);
    if (body.type === 'fail') this.failureCount++;
    if (body.type === 'authAck') this.#vote(record, header.currentEpoch, from.remoteIp);
    if (body.type === 'authRequest') this.#stand(record, header.currentEpoch);
    // What these two say of slots nobody believes, and a master without data says nothing else.
    if (body.type !== 'fail' && body.type !== 'authAck') this.#speakAs(record, packet);
  }

  heard(to: SimWire, { header, body }: Packet): void {
    const record = this.#records.get(to.host.ip);
    if (record === undefined) return;
    if (body.type === 'update') {
      this.#hear(record.heard, body.slots, { epoch: body.configEpoch, owner: body.nodeId });
    } else if (body.type === 'ping' || body.type === 'pong' || body.type === 'meet') {
      if ((header.flags & NODE_FLAG.master) === 0) return;
      const claim = { epoch: header.configEpoch, owner: header.sender };
      this.#hear(record.heard, header.slots, claim);
      this.#hear(record.told, header.slots, claim);
    }
  }

  /** The machine at `ip` acknowledged a write at `atUs`. */
  wrote(ip: string, slot: Slot, atUs: number): void {
    const record = this.#records.get(ip);
    if (record === undefined) return;
    const { name } = record.machine;
    if (record.role === 'replica' && record.roleSinceUs < atUs - TURN_US) {
      this.violate('writeOnReplica', `${name} is a replica and took a write for slot ${slot}`);
    }
    const claim = record.told.get(slot);
    if (claim === undefined || claim.epoch <= record.configEpoch) return;
    if (claim.atUs >= atUs - TURN_US) return;
    this.violate(
      'writeAfterNewerOwner',
      `${name} (configEpoch ${record.configEpoch}) took a write for slot ${slot} ` +
        `after it was told of an owner with configEpoch ${claim.epoch}`,
    );
  }

  /** Name of the machine whose claim on a watched slot is the newest. */
  ownerOf(slot: Slot): string | undefined {
    let newest: NodeRecord | undefined;
    for (const record of this.#records.values()) {
      if (record.role !== 'master' || !record.owned.has(slot)) continue;
      if (newest === undefined || record.configEpoch > newest.configEpoch) newest = record;
    }
    return newest?.machine.name;
  }

  /** What the machine last called itself on the bus. */
  roleOf(machine: Machine): 'master' | 'replica' | 'unknown' {
    return this.#records.get(machine.ip)?.role ?? 'unknown';
  }

  /** Whether other nodes have claimed all that this one owned, so that its restart with empty memory loses nothing. */
  isReplaced(machine: Machine): boolean {
    const record = this.#records.get(machine.ip);
    if (record === undefined || record.role !== 'master') return true;
    const newer = [...this.#records.values()].filter(
      (other) =>
        other !== record && other.role === 'master' && other.configEpoch > record.configEpoch,
    );
    return [...record.owned].every((slot) => newer.some((other) => other.owned.has(slot)));
  }

  #checkEpoch(record: NodeRecord, epoch: number): void {
    const { name } = record.machine;
    if (epoch < record.spokenEpoch) {
      this.violate('epochFell', `${name} spoke of epoch ${record.spokenEpoch}, now of ${epoch}`);
    }
    if (epoch < record.durableEpoch) {
      const text = `${name} acted in epoch ${record.durableEpoch} and now speaks of ${epoch}`;
      this.violate('epochForgotten', text);
      record.durableEpoch = epoch;
    }
    record.spokenEpoch = epoch;
    if (epoch <= this.#highestEpoch) return;
    this.#highestEpoch = epoch;
    record.durableEpoch = epoch;
  }

  #vote(record: NodeRecord, epoch: number, candidate: string): void {
    this.voteCount++;
    this.#world.note('vote', epoch);
    const before = record.votes.get(epoch);
    if (before !== undefined) {
      const text = `${record.machine.name} voted in epoch ${epoch} for ${before} and ${candidate}`;
      this.violate('votedTwice', text);
    }
    record.votes.set(epoch, candidate);
    record.durableEpoch = Math.max(record.durableEpoch, epoch);
  }

  #stand(record: NodeRecord, epoch: number): void {
    record.durableEpoch = Math.max(record.durableEpoch, epoch);
    if (record.stood.has(epoch)) return;
    record.stood.add(epoch);
    const other = record.votes.get(epoch);
    record.votes.set(epoch, record.machine.name);
    if (other === undefined) return;
    const text = `${record.machine.name} stood in epoch ${epoch} in which it voted for ${other}`;
    this.violate('votedTwice', text);
  }

  #speakAs(record: NodeRecord, { header }: Packet): void {
    const isMaster = header.masterId === undefined && (header.flags & NODE_FLAG.master) !== 0;
    const role = isMaster ? 'master' : 'replica';
    const isFirstWord = record.role === 'unknown';
    if (record.role !== role) {
      this.#world.note(`${record.machine.name} ${role}`, header.configEpoch);
      record.role = role;
      record.roleSinceUs = this.#world.nowUs;
    }
    const owned = new Set<Slot>();
    if (isMaster) {
      for (const slot of this.#slots) if (hasSlot(header.slots, slot)) owned.add(slot);
      // A restarted node begins with what its disk holds, and may have been told more than it has worked off.
      if (!isFirstWord) {
        for (const slot of owned) this.#checkGain(record, slot, header.configEpoch);
      }
    }
    for (const slot of record.owned) if (!owned.has(slot)) this.#checkLoss(record, slot);
    record.owned = owned;
    if (!isMaster) return;
    record.configEpoch = header.configEpoch;
    record.durableEpoch = Math.max(record.durableEpoch, header.configEpoch);
    if (record.stood.has(header.configEpoch)) this.#checkElected(record, header.configEpoch);
  }

  #checkElected(record: NodeRecord, epoch: number): void {
    const { name } = record.machine;
    const winner = this.elected.get(epoch);
    if (winner === name) return;
    if (winner !== undefined) {
      this.violate('electedTwice', `${winner} and ${name} were both elected in epoch ${epoch}`);
    }
    this.elected.set(epoch, name);
    this.#world.note(`elected ${name}`, epoch);
  }

  /** A node that takes a slot knows no owner that is newer than its own claim. */
  #checkGain(record: NodeRecord, slot: Slot, epoch: number): void {
    if (record.owned.has(slot)) return;
    const claim = record.told.get(slot);
    if (claim === undefined || claim.epoch <= epoch) return;
    const text = `${record.machine.name} took slot ${slot} with configEpoch ${epoch} from ${claim.epoch}`;
    this.violate('yieldedToOlder', text);
  }

  #checkLoss(record: NodeRecord, slot: Slot): void {
    const claim = record.heard.get(slot);
    if (claim !== undefined && claim.epoch > record.configEpoch) return;
    const told = claim === undefined ? 'no one' : `configEpoch ${claim.epoch}`;
    const text = `${record.machine.name} (configEpoch ${record.configEpoch}) gave slot ${slot} up to ${told}`;
    this.violate('yieldedToOlder', text);
  }

  #hear(into: Map<Slot, Claim>, slots: Uint8Array, claim: { epoch: number; owner: string }): void {
    for (const slot of this.#slots) {
      if (!hasSlot(slots, slot)) continue;
      const before = into.get(slot);
      if (before !== undefined && before.epoch >= claim.epoch) continue;
      into.set(slot, { ...claim, atUs: this.#world.nowUs });
    }
  }
}

function hasSlot(bitmap: Uint8Array, slot: Slot): boolean {
  return (bitmap[slot >> 3]! & (1 << (slot & 7))) !== 0;
}
