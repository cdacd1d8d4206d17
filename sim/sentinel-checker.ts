/**
 * What must hold of Sentinels at every moment:
 * - no Sentinel votes twice in an epoch, restarts included;
 * - one leader an epoch, failovers that an operator forced apart, for which nobody votes;
 * - a master is ODOWN only where a quorum of Sentinels found it SDOWN of late;
 * - one address a configuration epoch: no two replicas are promoted in one;
 * - a configuration gives way to newer ones only;
 * - the currentEpoch that a Sentinel speaks of never falls while it lives, and after a restart never below one in which it
 *   voted, or whose configuration it was the first to announce.
 *
 * Votes and configurations are judged on the wire, a leader's vote for itself, SDOWN and ODOWN by the events of Sentinels.
 */
import type { Machine } from './machine.ts';
import type { Violation } from './safety-checker.ts';
import type { Hello, SentinelListener } from './sentinel-observer.ts';
import type { SimWire } from './wire.ts';
import type { World } from './world.ts';

/** Opinions of others are taken for good this long, and a request and its answer may be on their way. Source: ASK-PERIOD. */
const OPINION_MS = 5000 + 2000;

interface SentinelRecord {
  readonly machine: Machine;
  /** Whom it voted for, by epoch. */
  readonly votes: Map<number, string>;
  /** As it calls itself. */
  id: string;
  /** Highest currentEpoch said in this life. */
  spokenEpoch: number;
  /** Configuration epoch that it announced last in this life. */
  spokenConfig: number;
  /** Highest epoch in which it acted; no later life may speak of less. */
  actedEpoch: number;
  /** What earlier lives left. */
  durableEpoch: number;
  /** Epoch that it told of last, and the one in which it stands. */
  toldEpoch: number;
  standsIn: number;
  /** An operator's wish was the last thing that it heard of. */
  isForced: boolean;
  /** It is about to take an epoch without votes, so that two masters do not share one. */
  isParting: boolean;
  isMasterSdown: boolean;
  /** When it found the master SDOWN the last time. */
  lastSdownMs: number;
}

export class SentinelChecker implements SentinelListener {
  readonly violations: Violation[] = [];
  /** Who led in which epoch, by machine name. */
  readonly leaders: Map<number, string> = new Map<number, string>();
  /** Masters found ODOWN: a failover that may lose writes can follow. */
  odownCount = 0;
  switchCount = 0;
  readonly #world: World;
  readonly #quorum: number;
  /** How long bytes may be late beyond their way, because someone is stopped or cut off. */
  readonly #lateMsMax: number;
  readonly #records = new Map<string, SentinelRecord>();
  /** Master's address by configuration epoch. */
  readonly #configs = new Map<number, string>();
  /** Epochs that operators' failovers took without votes: they may collide. */
  readonly #forcedEpochs = new Set<number>();

  constructor(world: World, quorum: number, lateMsMax: number) {
    this.#world = world;
    this.#quorum = quorum;
    this.#lateMsMax = lateMsMax;
  }

  add(machine: Machine): void {
    this.#records.set(machine.ip, {
      ...{ machine, votes: new Map<number, string>(), spokenEpoch: 0, actedEpoch: 0 },
      spokenConfig: 0,
      ...{ id: '', durableEpoch: 0 },
      ...{ toldEpoch: 0, standsIn: 0, isForced: false, isParting: false },
      isMasterSdown: false,
      lastSdownMs: -Infinity,
    });
  }

  violate(rule: Violation['rule'], text: string): void {
    this.violations.push({ rule, atMs: this.#world.nowMs, text });
  }

  /** A new process knows what its disk knows. */
  restarted(machine: Machine): void {
    const record = this.#records.get(machine.ip);
    if (record === undefined) return;
    record.spokenEpoch = 0;
    record.spokenConfig = 0;
    record.durableEpoch = record.actedEpoch;
    record.isForced = false;
    this.#masterIsUp(record);
  }

  voted(from: SimWire, { leader, epoch }: { leader: string; epoch: number }): void {
    const record = this.#records.get(from.host.ip);
    if (record !== undefined) this.#vote(record, epoch, leader);
  }

  saidHello(from: SimWire, { configEpoch, currentEpoch, masterAddress }: Hello): void {
    const record = this.#records.get(from.host.ip);
    if (record === undefined) return;
    const { name } = record.machine;
    if (currentEpoch < record.spokenEpoch) {
      const text = `${name} spoke of epoch ${record.spokenEpoch}, now of ${currentEpoch}`;
      this.violate('epochFell', text);
    }
    record.spokenEpoch = currentEpoch;
    if (currentEpoch < record.durableEpoch) {
      const text = `${name} acted in epoch ${record.durableEpoch} and now speaks of ${currentEpoch}`;
      this.violate('epochForgotten', text);
    }
    if (configEpoch < record.spokenConfig) {
      const text = `${name} announced the configuration of epoch ${record.spokenConfig}, now that of ${configEpoch}`;
      this.violate('yieldedToOlder', text);
    }
    record.spokenConfig = configEpoch;
    const known = this.#configs.get(configEpoch);
    if (known === undefined) {
      // What it merely heard of it may forget again.
      record.actedEpoch = Math.max(record.actedEpoch, configEpoch);
      this.#world.note(`config ${masterAddress}`, configEpoch);
      this.#configs.set(configEpoch, masterAddress);
    } else if (known !== masterAddress && !this.#forcedEpochs.has(configEpoch)) {
      const text = `${name} says that epoch ${configEpoch} made ${masterAddress} master, not ${known}`;
      this.violate('promotedTwice', text);
    }
  }

  /** A log line, which for an event is its channel and its message. */
  heard(machine: Machine, text: string): void {
    const record = this.#records.get(machine.ip);
    if (record === undefined) return;
    if (text.startsWith('Executing user requested FAILOVER')) {
      record.isForced = true;
      return;
    }
    if (text.startsWith('Two masters of')) {
      record.isParting = true;
      return;
    }
    const [event = '', ...words] = text.split(' ');
    switch (event) {
      case '+sdown':
        if (words[0] !== 'master') return;
        record.isMasterSdown = true;
        record.lastSdownMs = this.#world.nowMs;
        return;
      case '-sdown':
        if (words[0] === 'master') this.#masterIsUp(record);
        return;
      case '+odown':
        return this.#odown(record);
      case '+new-epoch':
        record.toldEpoch = Number(words[0]);
        if (record.isParting) this.#forcedEpochs.add(record.toldEpoch);
        record.isParting = false;
        return;
      case '+try-failover':
        record.standsIn = record.toldEpoch;
        if (record.isForced) this.#forcedEpochs.add(record.standsIn);
        return;
      case 'Sentinel':
        if (words[0] === 'ID') record.id = words[2] ?? '';
        return;
      case '+elected-leader':
        return this.#lead(record);
      case '+switch-master':
        this.switchCount++;
        return this.#masterIsUp(record);
    }
  }

  #masterIsUp(record: SentinelRecord): void {
    if (record.isMasterSdown) record.lastSdownMs = this.#world.nowMs;
    record.isMasterSdown = false;
  }

  #odown(record: SentinelRecord): void {
    this.odownCount++;
    const since = this.#world.nowMs - OPINION_MS - this.#lateMsMax;
    let count = 0;
    for (const other of this.#records.values()) {
      if (other.isMasterSdown || other.lastSdownMs >= since) count++;
    }
    if (count >= this.#quorum) return;
    const text = `${record.machine.name} calls the master ODOWN, and ${count} of ${this.#quorum} find it SDOWN`;
    this.violate('odownBelowQuorum', text);
  }

  #vote(record: SentinelRecord, epoch: number, leader: string): void {
    this.#world.note('vote', epoch);
    const before = record.votes.get(epoch);
    if (before !== undefined && before !== leader) {
      const text = `${record.machine.name} voted in epoch ${epoch} for ${before} and ${leader}`;
      this.violate('votedTwice', text);
    }
    record.votes.set(epoch, leader);
    record.actedEpoch = Math.max(record.actedEpoch, epoch);
  }

  #lead(record: SentinelRecord): void {
    const { machine, standsIn } = record;
    if (record.isForced) {
      record.isForced = false;
      return;
    }
    this.#world.note(`leader ${machine.name}`, standsIn);
    this.#vote(record, standsIn, record.id);
    const other = this.leaders.get(standsIn);
    if (other !== undefined && other !== machine.name) {
      const text = `${other} and ${machine.name} both lead in epoch ${standsIn}`;
      this.violate('electedTwice', text);
    }
    this.leaders.set(standsIn, machine.name);
  }
}
