/** One master, its replicas, Sentinels that look after them and clients that follow, in one seeded world. */
import { type Rng, invariant } from '../src/base/index.ts';
import { redisRules as clusterRules } from '../src/cluster/index.ts';
import { type Reply, ReplyError } from '../src/resp/index.ts';
import { type SentinelRules, redisRules } from '../src/sentinel/index.ts';
import { ClientHost, replyText } from './client.ts';
import { Machine, type MachineWatcher, type Program } from './machine.ts';
import type { FaultGround } from './machine-faults.ts';
import { FAIR_WEATHER, Network, type Weather } from './network.ts';
import { Operator } from './operator.ts';
import { SentinelChecker } from './sentinel-checker.ts';
import { SentinelObserver } from './sentinel-observer.ts';
import { SentinelWriter } from './sentinel-writer.ts';
import { World } from './world.ts';

export const MASTER_NAME = 'mymaster';

export interface SentinelSimOptions {
  readonly seed: number;
  readonly replicas: number;
  readonly sentinels: number;
  readonly quorum: number;
  readonly downAfterMs: number;
  readonly failoverTimeoutMs: number;
  readonly writers: number;
  /** Longest pause of a writer between two writes, ms, exclusive. */
  readonly thinkMsMax: number;
  readonly weather: Weather;
  /** How long bytes may be late because someone is stopped or cut off, ms. */
  readonly lateMsMax: number;
  /** Default: Redis's own; a test plants a fault by another. */
  readonly rules?: SentinelRules;
  /** Disks say that a file is synced when it is not: a fault to be found. */
  readonly isDiskForgetful?: boolean;
  /** Gets every log line of every machine. */
  readonly log?: (line: string) => void;
}

const NODE_PORT = 6379;
const SENTINEL_PORT = 26_379;
const CONFIG_FILE = 'redis.conf';
const POLL_MS = 1000;
/** Agreement counts when it has lasted this long: what was on its way may still change it. */
const STEADY_MS = 6000;

export class SentinelSim implements MachineWatcher, FaultGround {
  readonly world: World;
  readonly rng: Rng;
  readonly network: Network;
  readonly checker: SentinelChecker;
  readonly operator: Operator;
  readonly nodes: readonly Machine[];
  readonly sentinels: readonly Machine[];
  readonly machines: readonly Machine[];
  readonly writers: readonly SentinelWriter[];
  readonly #options: SentinelSimOptions;

  constructor(options: SentinelSimOptions) {
    this.#options = options;
    this.world = new World(options.seed);
    this.rng = this.world.branch();
    this.network = new Network(this.world);
    this.network.weather = options.weather;
    this.checker = new SentinelChecker(this.world, options.quorum, options.lateMsMax);
    this.operator = new Operator(this.world, this.network, this.#client('operator', 1, 1));
    const master = { ip: '10.0.0.1', port: NODE_PORT };
    this.nodes = Array.from({ length: 1 + options.replicas }, (_, index) =>
      this.#node(index, index === 0 ? undefined : master),
    );
    this.sentinels = Array.from({ length: options.sentinels }, (_, index) =>
      this.#sentinel(index, master),
    );
    this.machines = [...this.nodes, ...this.sentinels];
    const sentinelIps = new Set(this.sentinels.map(({ ip }) => ip));
    this.network.tap = new SentinelObserver(this.checker, (ip) => sentinelIps.has(ip));
    for (const machine of this.machines) {
      const reason = machine.start();
      invariant(reason === undefined, `a fresh machine starts: ${reason ?? ''}`);
    }
    this.writers = Array.from({ length: options.writers }, (_, index) => this.#writer(index));
  }

  start(machine: Machine): void {
    if (machine.isRunning) return;
    const reason = machine.start();
    if (reason !== undefined) this.checker.violate('cannotStart', `${machine.name}: ${reason}`);
  }

  /** Ends every fault: all machines run, everyone reaches everyone. */
  heal(): void {
    this.world.note('heal');
    this.network.weather = FAIR_WEATHER;
    this.network.heal();
    for (const machine of this.machines) {
      machine.files.failure = undefined;
      machine.disarm();
      machine.resume();
      this.start(machine);
    }
  }

  /** SENTINEL FAILOVER at a Sentinel; the answer promises nothing. */
  failover(sentinel: Machine, how: readonly string[]): void {
    this.world.note(`failover ${sentinel.name}`, how.length);
    const words = ['SENTINEL', 'FAILOVER', MASTER_NAME, ...how];
    this.operator.send(sentinel, words, () => undefined);
  }

  /** Lets time pass until all agree; why they do not, when they do not in time. */
  converge(limitMs: number): string | undefined {
    const endMs = this.world.nowMs + limitMs;
    let sinceMs = this.world.nowMs;
    let why: string | undefined;
    while (this.world.nowMs < endMs) {
      why = this.#disagreement();
      if (why !== undefined) sinceMs = this.world.nowMs;
      else if (this.world.nowMs - sinceMs >= STEADY_MS) return undefined;
      this.world.run(POLL_MS);
    }
    return why ?? 'it came too late';
  }

  /** The node that all Sentinels call the master. */
  master(): Machine {
    const found = this.nodes.find(({ ip }) => ip === this.#viewOf(this.sentinels[0]!)?.ip);
    invariant(found !== undefined, 'Sentinels that agree know the master');
    return found;
  }

  started(machine: Machine): void {
    this.checker.restarted(machine);
  }

  ended(machine: Machine): void {
    this.#options.log?.(`${this.#time()} ${machine.name} *** process ended`);
  }

  logged(machine: Machine, level: string, text: string): void {
    this.checker.heard(machine, text);
    this.#options.log?.(`${this.#time()} ${machine.name} ${level}: ${text}`);
  }

  failed(machine: Machine, error: unknown): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.checker.violate('processFailed', `${machine.name}: ${text}`);
  }

  /** Why this is not one healthy deployment; undefined when it is. */
  #disagreement(): string | undefined {
    const { replicas, sentinels } = this.#options;
    const [first] = this.sentinels;
    const wanted = first === undefined ? undefined : this.#viewOf(first);
    for (const sentinel of this.sentinels) {
      const view = this.#viewOf(sentinel);
      if (view === undefined || wanted === undefined) return `${sentinel.name} does not answer`;
      if (view.flags !== 'master') return `${sentinel.name} calls the master ${view.flags}`;
      if (view.place !== wanted.place)
        return `${sentinel.name} says ${view.place}, not ${wanted.place}`;
      const others = `${view.replicas} replicas and ${view.sentinels} Sentinels`;
      if (view.replicas !== replicas || view.sentinels !== sentinels - 1) {
        return `${sentinel.name} knows ${others}`;
      }
    }
    return this.#misled(wanted?.ip ?? '');
  }

  /** A node whose role is not what the Sentinels say. */
  #misled(masterIp: string): string | undefined {
    const roles = this.operator.ask(this.nodes.map((machine) => ({ machine, args: ['ROLE'] })));
    for (const [index, { ip, name }] of this.nodes.entries()) {
      const role = roles[index];
      const words = Array.isArray(role) ? (role as readonly Reply[]).map(replyText) : [];
      if (ip === masterIp) {
        if (words[0] !== 'master') return `${name} is no master but ${words[0] ?? 'silent'}`;
      } else if (words[0] !== 'slave' || words[1] !== masterIp || words[3] !== 'connected') {
        return `${name} does not follow ${masterIp}: ${words.join(' ')}`;
      }
    }
    return undefined;
  }

  #viewOf(machine: Machine):
    | {
        readonly ip: string;
        readonly place: string;
        readonly flags: string;
        readonly replicas: number;
        readonly sentinels: number;
      }
    | undefined {
    const [reply] = this.operator.ask([{ machine, args: ['SENTINEL', 'MASTER', MASTER_NAME] }]);
    if (!Array.isArray(reply) || reply instanceof ReplyError) return undefined;
    const words = (reply as readonly Reply[]).map(replyText);
    const field = (name: string): string => words[words.indexOf(name) + 1] ?? '';
    const ip = field('ip');
    return {
      ip,
      place: `${ip}:${field('port')} in ${field('config-epoch')}`,
      flags: field('flags'),
      replicas: Number(field('num-slaves')),
      sentinels: Number(field('num-other-sentinels')),
    };
  }

  #time(): string {
    return (this.world.nowUs / 1_000_000).toFixed(6);
  }

  #client(name: string, net: number, index: number): ClientHost {
    return new ClientHost(this.network, name, `10.0.${net}.${index}`);
  }

  #node(
    index: number,
    master: { readonly ip: string; readonly port: number } | undefined,
  ): Machine {
    const lines = [
      ...[`port ${NODE_PORT}`, 'protected-mode no', 'save ""', 'repl-diskless-sync-delay 0'],
      ...['repl-ping-replica-period 1', 'repl-timeout 5'],
      ...(master === undefined ? [] : [`replicaof ${master.ip} ${master.port}`]),
    ];
    const place = { name: `n${index + 1}`, ip: `10.0.0.${index + 1}`, port: NODE_PORT };
    return this.#machine(place, lines, { kind: 'node', rules: clusterRules });
  }

  #sentinel(index: number, master: { readonly ip: string; readonly port: number }): Machine {
    const { quorum, downAfterMs, failoverTimeoutMs, rules = redisRules } = this.#options;
    const lines = [
      ...[`port ${SENTINEL_PORT}`, 'protected-mode no'],
      `sentinel monitor ${MASTER_NAME} ${master.ip} ${master.port} ${quorum}`,
      `sentinel down-after-milliseconds ${MASTER_NAME} ${downAfterMs}`,
      `sentinel failover-timeout ${MASTER_NAME} ${failoverTimeoutMs}`,
    ];
    const place = { name: `s${index + 1}`, ip: `10.0.3.${index + 1}`, port: SENTINEL_PORT };
    const machine = this.#machine(place, lines, { kind: 'sentinel', rules });
    machine.files.isForgetful = this.#options.isDiskForgetful ?? false;
    this.checker.add(machine);
    return machine;
  }

  #machine(
    place: { readonly name: string; readonly ip: string; readonly port: number },
    lines: readonly string[],
    program: Program,
  ): Machine {
    const configText = `${lines.join('\n')}\n`;
    const machine = new Machine({
      ...{ world: this.world, network: this.network, ...place, program, watcher: this },
      ...{ configText, configFile: CONFIG_FILE },
    });
    machine.files.put(CONFIG_FILE, configText);
    return machine;
  }

  #writer(index: number): SentinelWriter {
    return new SentinelWriter({
      world: this.world,
      network: this.network,
      host: this.#client(`w${index}`, 2, index + 1),
      masterName: MASTER_NAME,
      sentinels: this.sentinels,
      thinkMsMax: this.#options.thinkMsMax,
      unexpected: (text) => this.checker.violate('unexpectedReply', text),
    });
  }
}
