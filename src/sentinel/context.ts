/** State that all parts of the machine share, and the ways in which they speak to the outside. */
import { type MonoMs, type Rng, addMs, randomHex } from '../base/index.ts';
import { type SentinelSettings, isIpText } from '../config/index.ts';
import type { Effect, LogLevel } from './effects.ts';
import { describe } from './names.ts';
import type { SentinelRules } from './rules.ts';
import {
  type Address,
  type Connection,
  type ConnectionId,
  type CrashPoint,
  type Instance,
  type Master,
  type Now,
  type Peer,
  type Periods,
  type Script,
  defaultPeriods,
} from './types.ts';

const SAVE_SOON_MS = 1000;
/** Scripts that wait or run. */
const SCRIPTS_MAX = 256;

export interface ContextInit {
  readonly rng: Rng;
  readonly rules: SentinelRules;
  readonly myId: string | undefined;
  readonly currentEpoch: number;
  readonly settings: SentinelSettings;
  /** Port that we listen on, for the hello message. */
  readonly port: number;
  readonly now: Now;
  /** Addresses of the hosts that the configuration names. */
  readonly resolved: ReadonlyMap<string, string>;
  /** Password that our own clients must give, which other Sentinels are assumed to share. */
  readonly requirepass: string;
}

export class SentinelContext {
  readonly rng: Rng;
  readonly rules: SentinelRules;
  readonly myId: string;
  readonly port: number;
  readonly requirepass: string;
  readonly settings: SentinelSettings;
  readonly periods: Periods = defaultPeriods();
  readonly masters: Map<string, Master> = new Map<string, Master>();
  readonly connections: Map<ConnectionId, Connection> = new Map<ConnectionId, Connection>();
  readonly crashPoints: Set<CrashPoint> = new Set<CrashPoint>();
  readonly resolved: Map<string, string>;
  readonly scripts: Script[] = [];
  /** Hellos that said nothing new when they came last, by their text: nearly all that ever come are among them. */
  readonly knownHellos: Map<string, Peer> = new Map<string, Peer>();
  now: Now;
  currentEpoch: number;
  tiltSince: MonoMs | undefined;
  /** When what was only noted has to be saved. */
  saveBy: MonoMs | undefined;
  /** When something is due before the next look at everything. */
  wakeAt: MonoMs | undefined;
  /** Something began of which more is to be expected: the next look at everything comes soon. */
  isRestless = false;
  /** What should be on disk is not: no vote may leave. */
  isUnsaved = false;
  #effects: Effect[] = [];
  /** Where in the effects the save belongs: before everything that was said since. */
  #saveAt: number | undefined;
  #lastConnectionId = 0;
  #lastScriptId = 0;

  constructor(init: ContextInit) {
    this.rng = init.rng;
    this.rules = init.rules;
    this.myId = init.myId ?? randomHex(init.rng, 40);
    this.currentEpoch = init.currentEpoch;
    this.settings = init.settings;
    this.port = init.port;
    this.now = init.now;
    this.resolved = new Map(init.resolved);
    this.requirepass = init.requirepass;
  }

  /** Milliseconds since a moment; `Infinity` when it never was. */
  since(at: MonoMs | undefined): number {
    return at === undefined ? Infinity : this.now.mono - at;
  }

  /** Everybody who is watched: each master, then its replicas and the other Sentinels that watch it. */
  *instances(): Iterable<Instance> {
    for (const master of this.masters.values()) {
      yield master;
      yield* master.replicas.values();
      yield* master.sentinels.values();
    }
  }

  newConnectionId(): ConnectionId {
    return ++this.#lastConnectionId;
  }

  do(effect: Effect): void {
    this.#effects.push(effect);
  }

  log(level: LogLevel, text: string): void {
    this.do({ kind: 'log', level, text });
  }

  /** An event whose text does not begin with an instance; `about`: whose notification script hears of it. */
  tell(level: LogLevel, type: string, text: string, about?: Instance): void {
    this.do({ kind: 'event', level, type, text });
    if (level !== 'warning' || about === undefined) return;
    const { settings } = about.role === 'master' ? about : about.master;
    const path = settings.notificationScript;
    if (path !== '') this.schedule(path, [type, text]);
  }

  /** An event about an instance, in Redis's form: who it is, then what else there is to say. */
  event(level: LogLevel, type: string, instance: Instance, more: string = ''): void {
    const text = describe(instance, (address) => this.announced(address));
    this.tell(level, type, `${text}${more}`, instance);
  }

  /** Has a script run when it is its turn. */
  schedule(path: string, args: readonly string[]): void {
    // The oldest that does not run gives way.
    if (this.scripts.length >= SCRIPTS_MAX) {
      const oldest = this.scripts.findIndex((script) => script.startedAt === undefined);
      if (oldest >= 0) this.scripts.splice(oldest, 1);
    }
    this.scripts.push({
      ...{ id: ++this.#lastScriptId, path, args, attempts: 0 },
      ...{ startedAt: undefined, notBefore: this.now.mono, isKilled: false },
    });
    this.isRestless = true;
  }

  /** The state is on disk before anything that is said from here on. */
  save(): void {
    this.saveBy = undefined;
    this.#saveAt ??= this.#effects.length;
  }

  /**
   * The state is on disk before long: for what others would tell us again. A Sentinel that gets to know a hundred masters
   * would else do nothing but write.
   */
  saveSoon(): void {
    this.saveBy ??= addMs(this.now.mono, SAVE_SOON_MS);
  }

  /** All effects since the last call, with `saving` where it was asked for first. */
  takeEffects(saving: () => Effect): readonly Effect[] {
    const effects = this.#effects;
    if (this.#saveAt !== undefined) {
      effects.splice(this.#saveAt, 0, saving());
      // Only now, when nothing is decided any more; if it fails we hear of that.
      this.isUnsaved = false;
    }
    this.#effects = [];
    this.#saveAt = undefined;
    return effects;
  }

  get isTilted(): boolean {
    return this.tiltSince !== undefined;
  }

  /** A host's address; undefined, and asked for, while it is not known. */
  ipOf(host: string): string | undefined {
    if (isIpText(host)) return host;
    if (!this.settings.resolveHostnames) return undefined;
    const ip = this.resolved.get(host);
    if (ip === undefined) this.do({ kind: 'resolve', host });
    return ip;
  }

  address(host: string, port: number): Address | undefined {
    const ip = this.ipOf(host);
    return ip === undefined ? undefined : { hostname: host, ip, port };
  }

  /** How others are told of an address: by name only where that is wanted. */
  announced({ hostname, ip }: Address): string {
    return this.settings.announceHostnames ? hostname : ip;
  }

  isSame(a: Address, b: Address): boolean {
    return a.ip === b.ip && a.port === b.port;
  }
}
