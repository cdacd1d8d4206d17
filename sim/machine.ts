/**
 * A computer with one node on it: it crashes, loses power, restarts over the same files, is stopped and continued, and
 * its wall clock jumps. The node inside is the real one; only its ports are ours.
 */
import {
  type Clock,
  type MonoMs,
  type Rng,
  type UnixMs,
  invariant,
  monoMs,
  unixMs,
} from '../src/base/index.ts';
import type { ClusterRules } from '../src/cluster/index.ts';
import type { LogLevel, SystemFacts } from '../src/commands/index.ts';
import { type LoadedConfig, loadConfig, parseSentinelConf } from '../src/config/index.ts';
import {
  Node,
  type Ports,
  type SentinelInit,
  type WireEvents,
  type WirePurpose,
} from '../src/node/index.ts';
import type { SentinelRules } from '../src/sentinel/index.ts';
import { type CrashKind, SimFiles } from './files.ts';
import type { Network } from './network.ts';
import type { Host, Purpose, SimWire } from './wire.ts';
import { US_PER_MS, type World } from './world.ts';

/** Where in its work a process ends: around the next file that it replaces and syncs, or before it sends again. */
export type CrashPoint = 'beforeReplace' | 'afterReplace' | 'beforeSend';

/** What runs on a machine; the rules are Redis's own but where a fault is planted. */
export type Program =
  | { readonly kind: 'node'; readonly rules: ClusterRules }
  | { readonly kind: 'sentinel'; readonly rules: SentinelRules };

export interface MachineInit {
  readonly world: World;
  readonly network: Network;
  readonly name: string;
  readonly ip: string;
  readonly port: number;
  /** Its configuration at the beginning. */
  readonly configText: string;
  /** Where that is on its disk, so that it can be rewritten; empty: nowhere. */
  readonly configFile: string;
  readonly program: Program;
  /** Hears what the machine goes through. */
  readonly watcher: MachineWatcher;
}

export interface MachineWatcher {
  started(machine: Machine): void;
  ended(machine: Machine): void;
  logged(machine: Machine, level: LogLevel, text: string): void;
  /** The node threw: a bug of its own. */
  failed(machine: Machine, error: unknown): void;
}

/** Thrown out of a port to end a process in the middle of its turn; the machine alone catches it. */
class CrashSignal extends Error {
  override readonly name: string = 'CrashSignal';
}

/** Unix time at which the world begins: 2023-11-14. */
const UNIX_START_MS = 1_700_000_000_000;
const BUS_PORT_OFFSET = 10_000;
/** Timers ring late by up to this much. */
const TIMER_LATE_US = 1000;
/** Longest time until a file is on disk. */
const DISK_US_MAX = 20_000;

const FACTS: Omit<SystemFacts, 'memory' | 'cpu' | 'totalMemoryBytes' | 'pid'> = {
  os: 'Simulated',
  archBits: 64,
  runtimeVersion: '0.0.0',
  executable: 'slotline-server',
  version: '0.0.0',
  supervisor: 'no',
};

export class Machine implements Host {
  readonly name: string;
  readonly ip: string;
  readonly port: number;
  readonly files: SimFiles;
  /** Milliseconds added to the wall clock by jumps. */
  unixSkewMs = 0;
  /** How often its process started. */
  lives = 0;
  /** Why it could not start, when it could not. */
  startFailure: string | undefined;
  readonly #world: World;
  readonly #network: Network;
  readonly #init: MachineInit;
  readonly #rng: Rng;
  #node: Node | undefined;
  #hasPower = true;
  #isPaused = false;
  /** What came while the process was stopped. */
  #waiting: (() => void)[] = [];
  #monoOffsetMs = 0;
  #crashPoint: CrashPoint | undefined;
  #crashKind: CrashKind = 'kill';
  #isInTurn = false;

  constructor(init: MachineInit) {
    this.#init = init;
    this.name = init.name;
    this.ip = init.ip;
    this.port = init.port;
    this.#world = init.world;
    this.#network = init.network;
    this.#rng = init.world.branch();
    this.files = new SimFiles(this.#rng, (moment, isSynced) => {
      if (isSynced) this.#passCrashPoint(moment === 'before' ? 'beforeReplace' : 'afterReplace');
    });
    this.#network.add(this);
  }

  get busPort(): number {
    return this.port + BUS_PORT_OFFSET;
  }

  get reach(): 'listening' | 'refusing' | 'gone' {
    if (!this.#hasPower) return 'gone';
    return this.#node === undefined ? 'refusing' : 'listening';
  }

  get isRunning(): boolean {
    return this.#node !== undefined;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  listensOn(port: number): boolean {
    return port === this.port || port === this.busPort;
  }

  /** Starts the process over what the disk holds. Returns why it refused to. */
  start(): string | undefined {
    invariant(this.#node === undefined, 'a machine runs one node');
    const wasOff = !this.#hasPower;
    this.#hasPower = true;
    if (wasOff) this.#network.rebooted(this);
    this.lives++;
    this.#world.note(`start ${this.name}`, this.lives);
    // The clock for waiting counts from the boot of the machine: its zero means nothing.
    this.#monoOffsetMs = this.#rng.below(1_000_000);
    const node = this.#boot();
    if (typeof node === 'string') return node;
    this.#node = node;
    this.#init.watcher.started(this);
    this.startFailure = undefined;
    this.#turn(() => void node.start());
    return this.startFailure;
  }

  /** Ends the process at once. */
  crash(kind: CrashKind): void {
    this.#crashPoint = undefined;
    if (this.#node === undefined) return;
    this.#world.note(`crash ${this.name} ${kind}`);
    this.#endProcess(kind);
  }

  /** Ends the process when it gets to that point. */
  crashAt(point: CrashPoint, kind: CrashKind): void {
    this.#crashPoint = point;
    this.#crashKind = kind;
  }

  /** Takes back what `crashAt` asked for. */
  disarm(): void {
    this.#crashPoint = undefined;
  }

  /** SIGSTOP: nothing happens inside, time goes on, the system takes what comes for it. */
  pause(): void {
    if (this.#node === undefined) return;
    this.#world.note(`pause ${this.name}`);
    this.#isPaused = true;
  }

  /** SIGCONT. */
  resume(): void {
    if (!this.#isPaused) return;
    this.#world.note(`resume ${this.name}`);
    this.#isPaused = false;
    for (const run of this.#waiting.splice(0)) this.deliver(run);
  }

  deliver(run: () => void): void {
    if (this.#node === undefined) return;
    if (this.#isPaused) this.#waiting.push(run);
    else this.#turn(run);
  }

  beforeSend(): void {
    this.#passCrashPoint('beforeSend');
  }

  accept(wire: SimWire, purpose: Purpose): WireEvents {
    invariant(this.#node !== undefined, 'only a running process accepts');
    return purpose === 'bus' ? this.#node.acceptBus(wire) : this.#node.accept(wire);
  }

  #turn(run: () => void): void {
    invariant(!this.#isInTurn, 'a process does one thing at a time');
    this.#isInTurn = true;
    try {
      run();
    } catch (error) {
      if (error instanceof CrashSignal) this.crash(this.#crashKind);
      else {
        this.#endProcess();
        this.#init.watcher.failed(this, error);
      }
    } finally {
      this.#isInTurn = false;
    }
  }

  #passCrashPoint(point: CrashPoint): void {
    if (this.#crashPoint !== point || !this.#isInTurn) return;
    this.#crashPoint = undefined;
    throw new CrashSignal(point);
  }

  #endProcess(kind: CrashKind = 'kill'): void {
    this.#node = undefined;
    this.#isPaused = false;
    this.#waiting = [];
    this.#hasPower = kind !== 'powerLoss';
    this.files.crash(kind);
    this.#network.abandon(this, kind === 'kill');
    this.#init.watcher.ended(this);
  }

  /** Data that is loaded in slices may prove damaged long after the start. */
  #loaded(flaw: string | undefined): void {
    this.startFailure = flaw;
    if (flaw !== undefined) this.#endProcess();
  }

  /** A new process over what the disk holds, or why there is none. */
  #boot(): Node | string {
    const { configFile, configText, program } = this.#init;
    const loaded = loadConfig({
      text: this.files.read(configFile) ?? configText,
      reader: { read: () => ({ error: 'No such file or directory' }), expand: () => [] },
      isSentinel: program.kind === 'sentinel',
    });
    invariant(loaded.ok, 'the configuration of a simulated node is sound');
    const { config } = loaded;
    const sentinel = program.kind === 'sentinel' ? sentinelState(config) : undefined;
    if (typeof sentinel === 'string') return sentinel;
    return new Node({
      ports: this.#ports(this.lives),
      config,
      configFile,
      onReady: (flaw) => this.#loaded(flaw),
      ...(program.kind === 'node' ? { clusterRules: program.rules } : {}),
      ...(program.kind === 'sentinel' && sentinel !== undefined
        ? { sentinel: { ...sentinel, rules: program.rules } }
        : {}),
    });
  }

  /** Ports of one life: what an earlier process asked for does not reach a later one. */
  #ports(life: number): Ports {
    const isAlive = (): boolean => this.#node !== undefined && this.lives === life;
    const later = (delayUs: number, run: () => void): void => {
      this.#world.after(delayUs, () => {
        if (isAlive()) this.deliver(() => (isAlive() ? run() : undefined));
      });
    };
    let alarm = 0;
    return {
      clock: this.#clock(),
      rng: this.#world.branch(),
      network: { connect: (target, events) => this.#connect(target, events) },
      files: this.files.forProcess((run) => later(this.#rng.below(DISK_US_MAX), run)),
      system: {
        ...FACTS,
        pid: life,
        memory: () => ({ residentBytes: 0, heapBytes: 0 }),
        totalMemoryBytes: 1 << 30,
        cpu: () => ({ userSeconds: 0, systemSeconds: 0 }),
      },
      log: (level, text) => this.#init.watcher.logged(this, level, text),
      setAlarm: (at) => {
        const mine = ++alarm;
        const dueUs = (at - this.#monoOffsetMs) * US_PER_MS + this.#rng.below(TIMER_LATE_US);
        later(dueUs - this.#world.nowUs, () => {
          if (alarm === mine) this.#node?.wake();
        });
      },
      listenAnew: (done) => later(0, () => done(true)),
      callSoon: () => later(this.#rng.below(200), () => this.#node?.work()),
      sendSoon: () => later(this.#rng.below(50), () => this.#node?.send()),
      sleep: (ms) => {
        this.pause();
        this.#world.afterMs(ms, () => this.resume());
      },
      ended: () => this.#endProcess(),
    };
  }

  #connect(
    target: { readonly host: string; readonly port: number; readonly purpose: WirePurpose },
    events: WireEvents,
  ): SimWire {
    const isBus = target.purpose === 'bus';
    // A Sentinel is a client of the nodes: replicas that lag do not make it lag.
    const isSentinel = this.#init.program.kind === 'sentinel';
    const purpose = isSentinel ? 'client' : isBus ? 'bus' : 'data';
    return this.#network.connect(this, { ...target, purpose }, events);
  }

  #clock(): Clock {
    const mono = (): number => this.#world.nowMs + this.#monoOffsetMs;
    return {
      monoMs: (): MonoMs => monoMs(mono()),
      monoUs: () => this.#world.nowUs + this.#monoOffsetMs * US_PER_MS,
      unixMs: (): UnixMs => unixMs(UNIX_START_MS + this.#world.nowMs + this.unixSkewMs),
    };
  }
}

/** What a Sentinel starts with: addresses only, no names, and no programs of users. A file that is torn is named. */
function sentinelState(config: LoadedConfig): SentinelInit | string {
  const parsed = parseSentinelConf(config.sentinels, {
    isExecutable: () => false,
    canResolve: () => false,
  });
  if (!parsed.ok) return `${parsed.flaw.reason}: ${parsed.flaw.line.text}`;
  return {
    conf: parsed.conf,
    resolved: new Map(),
    world: {
      isExecutable: () => false,
      run: () => {
        invariant(false, 'no Sentinel of the simulation has a script');
      },
      resolve: () => {
        invariant(false, 'no Sentinel of the simulation resolves names');
      },
    },
  };
}
