/** A whole cluster with its writers in one seeded world, as tests and scenarios use it. */
import { type Rng, type Slot, invariant } from '../src/base/index.ts';
import { type ClusterRules, redisRules } from '../src/cluster/index.ts';
import { BusObserver } from './bus-observer.ts';
import { ClientHost } from './client.ts';
import type { CrashKind } from './files.ts';
import { type Layout, configText, drawLayout, drawTags, nodesConfOf } from './layout.ts';
import { Machine, type MachineWatcher } from './machine.ts';
import { FAIR_WEATHER, Network, type Weather } from './network.ts';
import { Operator, type View } from './operator.ts';
import { SafetyChecker, type Violation } from './safety-checker.ts';
import { type Address, Writer } from './workload.ts';
import { World } from './world.ts';

export interface ClusterSimOptions {
  readonly seed: number;
  /** At least 1; elections want 3. */
  readonly masters: number;
  readonly replicasPerMaster: number;
  /** cluster-node-timeout, ms; default 1000. */
  readonly nodeTimeoutMs?: number;
  /** Default: Redis's own; a test plants a fault by another. */
  readonly rules?: ClusterRules;
  /** Default FAIR_WEATHER. */
  readonly weather?: Weather;
  /** Clients that write; default 2. */
  readonly writers?: number;
  /** Longest pause of a writer between two writes, ms, exclusive; default 50. */
  readonly thinkMsMax?: number;
  /** Gets every log line of every node. */
  readonly log?: (line: string) => void;
}

/** Time for a healed cluster to agree. */
export const CONVERGE_MS = 60_000;
const POLL_MS = 500;
/** Agreement counts when it has lasted this long: the first pings after healing may still bring bad news. */
const STEADY_MS = 3000;
/** Hash tags per shard. */
const TAGS_PER_SHARD = 2;
const NODES_CONF = 'nodes.conf';

/** A target took slots, and a replica of it has no copy of them. */
const THINNED = /\(IMPORT\) is now confirming: slots ([\d -]+) have no copy/;

export class ClusterSim implements MachineWatcher {
  readonly world: World;
  readonly network: Network;
  readonly checker: SafetyChecker;
  readonly operator: Operator;
  readonly machines: readonly Machine[];
  readonly writers: readonly Writer[];
  readonly layout: Layout;
  readonly tags: readonly { readonly tag: string; readonly slot: Slot }[];
  readonly rng: Rng;
  /** A master came back with empty memory before anyone had taken its place: writes are gone, as they must be. */
  hasLostMemory = false;
  /** Hears every line that a node logs. */
  onLog: ((machine: Machine, text: string) => void) | undefined;
  readonly #log: ((line: string) => void) | undefined;
  readonly #byName = new Map<string, Machine>();

  constructor(options: ClusterSimOptions) {
    this.#log = options.log;
    this.world = new World(options.seed);
    this.rng = this.world.branch();
    this.network = new Network(this.world);
    this.network.weather = options.weather ?? FAIR_WEATHER;
    this.layout = drawLayout(this.rng, options.masters, options.replicasPerMaster);
    this.tags = drawTags(this.rng, this.layout, TAGS_PER_SHARD);
    this.checker = new SafetyChecker(
      this.world,
      this.tags.map(({ slot }) => slot),
    );
    this.network.tap = new BusObserver(this.checker);
    this.operator = new Operator(
      this.world,
      this.network,
      new ClientHost(this.network, 'operator', '10.0.1.1'),
    );
    this.machines = this.layout.seats.map((seat) => this.#build(seat, options));
    for (const machine of this.machines) this.#startFresh(machine);
    this.writers = Array.from({ length: options.writers ?? 2 }, (_, index) =>
      this.#writer(index, options),
    );
  }

  machine(name: string): Machine {
    const machine = this.#byName.get(name);
    invariant(machine !== undefined, `there is a machine called ${name}`);
    return machine;
  }

  /** Name of the machine whose claim on the shard's slots is the newest. */
  masterOf(shard: number): string | undefined {
    const tag = this.tags[shard * TAGS_PER_SHARD];
    return tag === undefined ? undefined : this.checker.ownerOf(tag.slot);
  }

  run(durationMs: number): void {
    this.world.run(durationMs);
  }

  /** Lets time pass until the condition holds; fails the test when it does not in time. */
  runUntil(isDone: (sim: ClusterSim) => boolean, limit: { readonly maxSimMs: number }): void {
    const isInTime = this.world.runUntil(() => isDone(this), limit.maxSimMs);
    if (!isInTime) this.#fail(`the awaited state did not come in ${limit.maxSimMs} ms`);
  }

  crash(name: string, kind: CrashKind = 'powerLoss'): void {
    this.machine(name).crash(kind);
  }

  /** Starts a machine that is off; one that refuses its damaged file gets the last synced one back. */
  start(machine: Machine): void {
    if (machine.isRunning) return;
    if (!this.checker.isReplaced(machine)) this.hasLostMemory = true;
    if (machine.start() === undefined) return;
    machine.files.restoreSynced(NODES_CONF);
    const reason = machine.start();
    if (reason !== undefined) this.checker.violate('cannotStart', `${machine.name}: ${reason}`);
  }

  /** Cuts the machines off from all others, clients and operator apart. */
  partition(names: readonly string[]): void {
    const side = names.map((name) => this.machine(name));
    const rest = this.machines.filter((machine) => !side.includes(machine));
    this.network.separate(side, rest, false);
  }

  /** Ends every fault: all machines run, everyone reaches everyone. */
  heal(): void {
    this.world.note('heal');
    this.network.weather = FAIR_WEATHER;
    this.network.heal();
    for (const machine of this.machines) {
      machine.disarm();
      machine.resume();
      this.start(machine);
    }
  }

  /** Lets time pass until all nodes agree; false when they do not in time. */
  converge(limitMs: number = CONVERGE_MS): boolean {
    const endMs = this.world.nowMs + limitMs;
    let sinceMs = this.world.nowMs;
    while (this.world.nowMs < endMs) {
      const isAgreed = this.disagreement(this.operator.views(this.machines)) === undefined;
      if (!isAgreed) sinceMs = this.world.nowMs;
      else if (this.world.nowMs - sinceMs >= STEADY_MS) return true;
      this.world.run(POLL_MS);
    }
    return false;
  }

  /** Why the views are not those of one healthy cluster; undefined when they are. */
  disagreement(views: readonly View[]): string | undefined {
    if (views.length < this.machines.length) return 'not every node answers';
    const [first] = views;
    if (first === undefined) return 'there is no node';
    for (const view of views) {
      const { name } = view.machine;
      if (view.state !== 'ok') return `${name} says that the cluster is down`;
      if (!view.isCovered) return `${name} knows slots without an owner`;
      if (view.slotMap !== first.slotMap) return `${name} and ${first.machine.name} differ`;
      if (!view.isSynced) return `${name} is not in step with its master`;
    }
    const masters = views.filter((view) => view.role === 'master');
    if (new Set(masters.map((view) => view.configEpoch)).size < masters.length) {
      return 'two masters share a configEpoch';
    }
    const strays = views.filter(
      (view) =>
        view.role === 'replica' && !masters.some(({ machine }) => machine.ip === view.masterIp),
    );
    return strays[0] === undefined ? undefined : `${strays[0].machine.name} follows no master`;
  }

  /** Fails the test when something was violated, or the cluster does not agree in time. */
  expectConverged(): void {
    const isAgreed = this.converge();
    const why = isAgreed ? undefined : this.disagreement(this.operator.views(this.machines));
    if (why !== undefined) this.#fail(why);
    const [violation] = this.checker.violations;
    if (violation !== undefined) this.#fail(violationText(violation));
  }

  started(machine: Machine): void {
    this.checker.restarted(machine);
  }

  ended(machine: Machine): void {
    this.#log?.(`${this.#time()} ${machine.name} *** process ended`);
  }

  logged(machine: Machine, level: string, text: string): void {
    this.#log?.(`${this.#time()} ${machine.name} ${level}: ${text}`);
    const thinned = THINNED.exec(text);
    if (thinned !== null) this.#thinOut(thinned[1]!);
    this.onLog?.(machine, text);
  }

  #thinOut(rangesText: string): void {
    const ranges = rangesText.split(' ').map((range) => range.split('-').map(Number));
    const isThinned = (slot: Slot): boolean =>
      ranges.some(([first, last]) => slot >= first! && slot <= last!);
    for (const writer of this.writers) writer.thinOut(isThinned);
  }

  failed(machine: Machine, error: unknown): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.checker.violate('processFailed', `${machine.name}: ${text}`);
  }

  #time(): string {
    return (this.world.nowUs / 1_000_000).toFixed(6);
  }

  #build(seat: Layout['seats'][number], options: ClusterSimOptions): Machine {
    const machine = new Machine({
      world: this.world,
      network: this.network,
      name: seat.name,
      ip: seat.ip,
      port: seat.port,
      configText: configText(options.nodeTimeoutMs ?? 1000),
      configFile: '',
      program: { kind: 'node', rules: options.rules ?? redisRules },
      watcher: this,
    });
    machine.files.put(NODES_CONF, nodesConfOf(this.layout, seat));
    this.#byName.set(seat.name, machine);
    this.checker.add(machine);
    return machine;
  }

  #startFresh(machine: Machine): void {
    const reason = machine.start();
    invariant(reason === undefined, `a fresh node starts: ${reason ?? ''}`);
  }

  #writer(index: number, options: ClusterSimOptions): Writer {
    const host = new ClientHost(this.network, `w${index}`, `10.0.2.${index + 1}`);
    const owners = new Map<Slot, Address>(
      this.tags.map(({ slot }, at) => {
        const shard = Math.floor(at / TAGS_PER_SHARD);
        return [slot, this.machine(`m${shard + 1}`)];
      }),
    );
    return new Writer({
      world: this.world,
      network: this.network,
      host,
      tags: this.tags,
      addresses: this.machines,
      owners,
      replicas: options.replicasPerMaster,
      thinkMsMax: options.thinkMsMax ?? 50,
      acknowledged: (ip, slot, atUs) => this.checker.wrote(ip, slot, atUs),
      unexpected: (text) => this.checker.violate('unexpectedReply', text),
    });
  }

  #fail(why: string): never {
    throw new Error(`${why}\nSIM_SEED=${this.world.seed} npm run sim`);
  }
}

/** A cluster that has met, at the moment of its start. */
export function createClusterSim(options: ClusterSimOptions): ClusterSim {
  return new ClusterSim(options);
}

/** One line about a violation. */
export function violationText(violation: Violation): string {
  return `${violation.rule} at ${violation.atMs} ms: ${violation.text}`;
}
