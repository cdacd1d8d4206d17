/**
 * The Sentinel inside the node: gives the machine its inputs, carries its effects out strictly in order, and answers what
 * commands ask. A node that has one has no data of its own.
 */
import { type MonoMs, assertNever } from '../base/index.ts';
import type { LogLevel, PubSub, SentinelService, Session } from '../commands/index.ts';
import { type SentinelConf, type Settings, isIpText } from '../config/index.ts';
import {
  type ConnectionId,
  type Effect,
  type Input,
  type Now,
  type SentinelContext,
  SentinelMachine,
  type SentinelRules,
  redisRules,
} from '../sentinel/index.ts';
import { encodeRequest } from '../resp/index.ts';
import type { Ports, RunningScript, SentinelWorld } from './ports.ts';
import { replicationPort } from './replication-options.ts';
import { ReplyConnection } from './reply-connection.ts';

/** Exit code of a Sentinel that was told to crash. Source: redis-sentinel 7.0.15. */
const CRASH_EXIT_CODE = 99;

/** So many packets at once are those of a beat; what comes back is waited for. */
const GATHERED_PACKETS = 8;
const GATHER_MS = 25;

export interface SentinelInit {
  readonly conf: SentinelConf;
  /** Addresses of the hosts in it that are names. */
  readonly resolved: ReadonlyMap<string, string>;
  readonly world: SentinelWorld;
  /** The decisions on which safety rests; default Redis's own. A simulator overrides them. */
  readonly rules?: SentinelRules;
}

export interface SentinelHost {
  readonly ports: Ports;
  readonly settings: Pick<Settings, 'port' | 'requirepass' | 'tls-port' | 'tls-replication'>;
  readonly pubsub: PubSub;
  log(level: LogLevel, text: string): void;
  rearm(): void;
  inTurn(act: () => void): void;
  unblockSession(session: Session): void;
  /** Brings the configuration file up to date; why that failed. */
  rewriteConfig(isWhole: boolean, sentinel?: SentinelConf): string | undefined;
  halt(exitCode: number): void;
}

export class SentinelPart implements SentinelService {
  readonly machine: SentinelMachine;
  readonly #host: SentinelHost;
  readonly #world: SentinelWorld;
  readonly #connections = new Map<ConnectionId, ReplyConnection>();
  /** What was sent and has not left: requests of one step leave together. */
  readonly #outbox = new Map<ConnectionId, Buffer[]>();
  readonly #scripts = new Map<number, RunningScript>();
  /** Effects not carried out yet; a step inside an effect adds its own behind them. */
  readonly #effects: Effect[] = [];
  #isWorking = false;
  #isHalted = false;

  constructor(host: SentinelHost, init: SentinelInit) {
    const { conf, resolved, world, rules = redisRules } = init;
    this.#host = host;
    this.#world = world;
    const { requirepass } = host.settings;
    const port = replicationPort(host.settings);
    const { rng } = host.ports;
    this.machine = new SentinelMachine(
      { rng, rules, port, requirepass, resolved, now: this.#now() },
      conf,
    );
  }

  get context(): SentinelContext {
    return this.machine.context;
  }

  /** Begins to watch; nothing can be in the way, so there is no flaw to return. */
  start(): undefined {
    this.#work(this.machine.begin(this.#now()));
    this.#step({ kind: 'tick' });
  }

  /** Closes every connection; nothing happens any more. */
  stop(): void {
    if (this.context.saveBy !== undefined) this.act((c) => c.save());
    this.#isHalted = true;
    for (const connection of this.#connections.values()) connection.close();
    for (const script of this.#scripts.values()) script.kill();
  }

  /** To be called at the start of every turn, before clients are served. */
  tickIfDue(now: MonoMs): void {
    if (now >= this.machine.nextWake()) this.#step({ kind: 'tick' });
  }

  nextWake(): MonoMs | undefined {
    return this.#isHalted ? undefined : this.machine.nextWake();
  }

  act<T>(change: (c: SentinelContext) => T): T {
    let result: { readonly value: T } | undefined;
    this.#work(
      this.machine.act(this.#now(), (c) => {
        result = { value: change(c) };
      }),
    );
    return result!.value;
  }

  hello(message: string): void {
    this.#step({ kind: 'hello', message });
  }

  isExecutable(path: string): boolean {
    return this.#world.isExecutable(path);
  }

  resolve(session: Session, host: string, then: () => void): void {
    const isKnown = isIpText(host) || this.context.resolved.has(host);
    if (isKnown || !this.context.settings.resolveHostnames) return then();
    session.blocked = { kind: 'outside', deadline: undefined };
    this.#world.resolve(host, (ip) =>
      this.#host.inTurn(() => {
        this.#step({ kind: 'resolved', host, ip });
        then();
        this.#host.unblockSession(session);
      }),
    );
  }

  #now(): Now {
    const { clock } = this.#host.ports;
    return { mono: clock.monoMs(), unix: clock.unixMs() };
  }

  #step(input: Input): void {
    if (!this.#isHalted) this.#work(this.machine.step(this.#now(), input));
  }

  /** Each effect ends before the next begins, also when carrying one out causes another step. */
  #work(effects: readonly Effect[]): void {
    this.#effects.push(...effects);
    this.#host.rearm();
    if (this.#isWorking) return;
    this.#isWorking = true;
    for (let i = 0; i < this.#effects.length && !this.#isHalted; i++) {
      this.#carryOut(this.#effects[i]!);
    }
    this.#effects.length = 0;
    this.#isWorking = false;
    this.#send();
  }

  #carryOut(effect: Effect): void {
    switch (effect.kind) {
      case 'open':
        return this.#open(effect.connection, effect.host, effect.port);
      case 'close':
        this.#connections.get(effect.connection)?.close();
        this.#connections.delete(effect.connection);
        return;
      case 'send':
        return this.#post(effect.connection, encodeRequest(effect.args));
      case 'save':
        return this.#save(effect.conf);
      case 'event':
        this.#host.log(effect.level, `${effect.type} ${effect.text}`);
        if (effect.level === 'debug') return;
        this.#host.pubsub.publish(effect.type, Buffer.from(effect.text, 'latin1'));
        return;
      case 'log':
        return this.#host.log(effect.level, effect.text);
      case 'resolve':
        return this.#resolve(effect.host);
      case 'runScript':
        return this.#run(effect);
      case 'killScript':
        return this.#scripts.get(effect.id)?.kill();
      case 'crash':
        this.#host.log('warning', 'Sentinel CRASH because of SENTINEL simulate-failure');
        this.#isHalted = true;
        return this.#host.halt(CRASH_EXIT_CODE);
      default:
        return assertNever(effect);
    }
  }

  #open(id: ConnectionId, host: string, port: number): void {
    const connection = new ReplyConnection(this.#host.ports.network, {
      host,
      port,
      purpose: 'data',
    });
    this.#connections.set(id, connection);
    connection.listener = {
      opened: () => this.#step({ kind: 'opened', connection: id, localIp: connection.localIp }),
      reply: (reply) => this.#step({ kind: 'reply', connection: id, reply }),
      closed: () => {
        this.#connections.delete(id);
        this.#outbox.delete(id);
        this.#step({ kind: 'closed', connection: id });
      },
    };
  }

  #post(id: ConnectionId, bytes: Buffer): void {
    const waiting = this.#outbox.get(id);
    if (waiting === undefined) this.#outbox.set(id, [bytes]);
    else waiting.push(bytes);
  }

  #send(): void {
    const packets = this.#outbox.size;
    if (packets === 0) return;
    for (const [id, parts] of this.#outbox) {
      this.#connections.get(id)?.send(parts.length === 1 ? parts[0]! : Buffer.concat(parts));
    }
    this.#outbox.clear();
    // Nearly all answers are there then, and are read together.
    if (packets >= GATHERED_PACKETS) this.#host.ports.sleep(GATHER_MS);
  }

  #save(conf: SentinelConf): void {
    const failure = this.#host.rewriteConfig(false, conf);
    if (failure === undefined) {
      return this.#host.log('notice', 'Sentinel new configuration saved on disk');
    }
    const what = 'Sentinel was not able to save the new configuration on disk!!!';
    this.#host.log('warning', `WARNING: ${what}: ${failure}`);
    this.#step({ kind: 'saveFailed' });
  }

  #resolve(host: string): void {
    this.#world.resolve(host, (ip) =>
      this.#host.inTurn(() => this.#step({ kind: 'resolved', host, ip })),
    );
  }

  #run({ id, path, args }: Extract<Effect, { kind: 'runScript' }>): void {
    const script = this.#world.run(path, args, (exitCode) => {
      this.#scripts.delete(id);
      this.#host.inTurn(() => this.#step({ kind: 'scriptEnded', id, exitCode }));
    });
    this.#scripts.set(id, script);
  }
}
