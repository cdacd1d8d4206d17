/** One node in this process, for tests: it can be killed, started again, paused, and asked. */
import { type Clock, addMs } from '../base/index.ts';
import { type Argument, RespClient } from '../client/index.ts';
import { type ConfigFailure, type LoadedConfig, loadConfig } from '../config/index.ts';
import { ServerProcess, StartError, asSentinel, readSentinel } from '../io/index.ts';
import { type Files, type Ports, type SentinelInit, busPort } from '../node/index.ts';
import { currentAddress } from '../sentinel/index.ts';
import type { Reply } from '../resp/index.ts';
import { LibraryError } from './errors.ts';
import { FastClock } from './fast-clock.ts';
import { memoryFiles } from './memory-files.ts';
import type { PartitionableNetwork } from './partition.ts';
import { PauseGate } from './pause-gate.ts';
import type { Timeline } from './timeline.ts';

const HOST = '127.0.0.1';
const CALL_TIMEOUT_MS = 5000;
const CONFIG_FILE = 'redis.conf';

/** Directives of redis.conf with their values, such as `{ 'maxmemory': '100mb' }`. */
export type ConfigLines = Readonly<Record<string, string | number>>;

/** What makes a node a Sentinel. */
export interface SentinelInstructions {
  /** The `sentinel` lines of its configuration file at the beginning. */
  readonly lines: readonly string[];
  /** How many times as fast its time passes. */
  readonly timeScale: number;
}

export interface LocalNodeInit {
  readonly port: number;
  readonly config: ConfigLines;
  /** Whether its configuration is a file in its memory, which it can rewrite and finds again; default false. */
  readonly hasConfigFile?: boolean;
  readonly sentinel?: SentinelInstructions;
  readonly timeline: Timeline;
  readonly network: PartitionableNetwork;
}

/** A life of the node: from a start to its end. */
interface Life {
  readonly server: ServerProcess;
  readonly gate: PauseGate;
}

export class LocalNode {
  readonly port: number;
  readonly busPort: number;
  readonly #init: LocalNodeInit;
  readonly #files: Files = memoryFiles();
  readonly #password: string | undefined;
  /** How far the node's waiting clock is ahead of the machine's, milliseconds. */
  #leadMs = 0;
  #life: Life | undefined;
  #client: Promise<RespClient> | undefined;

  /** @throws LibraryError `BAD_OPTION` for a configuration that redis-server would refuse */
  constructor(init: LocalNodeInit) {
    this.port = init.port;
    this.#init = init;
    const { settings } = this.#loadConfig();
    this.busPort = busPort(settings);
    this.#password = settings.requirepass === '' ? undefined : settings.requirepass;
    init.network.addSide(this.port, this.busPort);
  }

  /** As clients take it, with the password if there is one. */
  get url(): string {
    const login = this.#password === undefined ? '' : `:${encodeURIComponent(this.#password)}@`;
    return `redis://${login}${HOST}:${this.port}`;
  }

  get isRunning(): boolean {
    return this.#life !== undefined;
  }

  get isPaused(): boolean {
    return this.#life?.gate.isShut ?? false;
  }

  /** What the node takes itself for; undefined while it does not run. */
  role(): 'master' | 'replica' | undefined {
    if (this.#life === undefined) return undefined;
    return this.#life.server.node.replication.isReplica ? 'replica' : 'master';
  }

  /** Whether a replica has the data of its master and follows it. */
  get isFollowing(): boolean {
    return this.#life?.server.node.replication.link.isUp ?? false;
  }

  /** Port of the node that the Sentinel calls the master; undefined while it does not run. */
  masterPort(name: string): number | undefined {
    const master = this.#life?.server.node.sentinel?.context.masters.get(name);
    return master === undefined ? undefined : currentAddress(master).port;
  }

  /** @throws LibraryError `START_FAILED`, with the reason of the node */
  async start(): Promise<void> {
    const { config, sentinel } = await this.#instructions();
    if (this.#life !== undefined) {
      throw new LibraryError('ALREADY_RUNNING', `Cannot start node ${this.port}: it runs`);
    }
    const { timeline } = this.#init;
    this.#leadMs = 0;
    const gate = new PauseGate();
    const server: ServerProcess = new ServerProcess({
      config,
      configFile: this.#configFile,
      ...(sentinel === undefined ? {} : { sentinel }),
      log: (_level, text) => timeline.heard(this.port, text),
      onEnd: () => this.#ended(server),
      wrapPorts: (ports) => this.#wrapPorts(ports, gate),
      wrapEntrance: (node) => gate.entrance(node),
    });
    try {
      await server.start();
    } catch (error) {
      gate.forget();
      this.#init.network.forget(this.port);
      if (!(error instanceof StartError)) throw error;
      const message = `Cannot start a node on port ${this.port}: ${error.message}`;
      throw new LibraryError('START_FAILED', message, error);
    }
    this.#life = { server, gate };
    timeline.add('started', this.port, 'started');
  }

  /** As kill -9: connections are cut, nothing is said. Nothing when it does not run. */
  async kill(): Promise<void> {
    const life = this.#life;
    if (life === undefined) return;
    this.#life = undefined;
    life.gate.forget();
    this.#init.timeline.add('ended', this.port, 'killed');
    await life.server.kill();
    await this.#hangUp();
    this.#init.network.forget(this.port);
  }

  pause(): void {
    this.#living().gate.shut();
    this.#init.timeline.add('paused', this.port, 'paused');
  }

  resume(): void {
    const { gate } = this.#living();
    this.#init.timeline.add('resumed', this.port, 'resumed');
    gate.open();
  }

  /** Lets this much time pass for the node at once; until its end it stays ahead. */
  skip(ms: number): void {
    const { server } = this.#living();
    this.#leadMs += ms;
    server.node.wake();
  }

  async call(...args: readonly Argument[]): Promise<Reply> {
    this.#living();
    const known = this.#client;
    // One that broke, or was left by a node that has started again since, is replaced once.
    if (known !== undefined && !(await known).isOpen && this.#client === known) {
      this.#client = undefined;
    }
    const client = await (this.#client ??= this.#connect());
    return client.call(...args);
  }

  async #connect(): Promise<RespClient> {
    try {
      return await RespClient.connect({
        host: HOST,
        port: this.port,
        timeoutMs: CALL_TIMEOUT_MS,
        ...(this.#password === undefined ? {} : { password: this.#password }),
      });
    } catch (error) {
      this.#client = undefined;
      throw error;
    }
  }

  async #hangUp(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    // A connection that was refused has nothing to close; whoever called got the error.
    await client?.then(
      (open) => open.close(),
      () => undefined,
    );
  }

  #ended(server: ServerProcess): void {
    if (this.#life?.server !== server) return;
    this.#life.gate.forget();
    this.#life = undefined;
    this.#init.network.forget(this.port);
    this.#init.timeline.add('ended', this.port, 'ended by itself');
  }

  #living(): Life {
    if (this.#life !== undefined) return this.#life;
    throw new LibraryError('NOT_RUNNING', `Cannot use node ${this.port}: it does not run`);
  }

  get #configFile(): string {
    return this.#init.hasConfigFile === true ? CONFIG_FILE : '';
  }

  async #instructions(): Promise<{ config: LoadedConfig; sentinel: SentinelInit | undefined }> {
    const config = this.#loadConfig();
    if (this.#init.sentinel === undefined) return { config, sentinel: undefined };
    const asked = asSentinel(config);
    const sentinel = await readSentinel(asked);
    if ('failure' in sentinel) throw badOption(sentinel.failure);
    return { config: asked, sentinel };
  }

  #wrapPorts(ports: Ports, gate: PauseGate): Ports {
    const { network, sentinel } = this.#init;
    const wrapped = {
      ...ports,
      files: this.#files,
      network: gate.network(network.network(this.port, ports.network)),
    };
    if (sentinel !== undefined) {
      const clock = new FastClock(ports.clock, sentinel.timeScale);
      return { ...wrapped, clock, setAlarm: (at) => ports.setAlarm(clock.machineMs(at)) };
    }
    return {
      ...wrapped,
      clock: this.#ahead(ports.clock),
      setAlarm: (at) => ports.setAlarm(addMs(at, -this.#leadMs)),
    };
  }

  #ahead(clock: Clock): Clock {
    return {
      monoMs: () => addMs(clock.monoMs(), this.#leadMs),
      monoUs: () => clock.monoUs() + this.#leadMs * 1000,
      unixMs: () => clock.unixMs(),
    };
  }

  #loadConfig(): LoadedConfig {
    const { hasConfigFile, sentinel } = this.#init;
    const saved = this.#files.read(CONFIG_FILE);
    // Files in memory can always be read.
    const text = typeof saved === 'string' ? saved : this.#firstConfig();
    const loaded = loadConfig({
      text,
      reader: {
        read: (path) => ({ error: `"${path}" cannot be read by a node in memory` }),
        expand: () => [],
      },
      isSentinel: sentinel !== undefined,
    });
    if (!loaded.ok) throw badOption(loaded.failure);
    if (hasConfigFile === true) this.#files.replace(CONFIG_FILE, text);
    return loaded.config;
  }

  #firstConfig(): string {
    const { config, port, sentinel } = this.#init;
    const data = {
      ...{ save: '""', 'repl-diskless-sync': 'yes', 'repl-diskless-sync-delay': 0 },
    };
    const lines = Object.entries({
      ...{ port, bind: HOST },
      ...(sentinel === undefined ? data : {}),
      ...config,
    }).map(([name, value]) => `${name} ${value}\n`);
    return lines.join('') + (sentinel?.lines ?? []).map((line) => `sentinel ${line}\n`).join('');
  }
}

function badOption(failure: ConfigFailure): LibraryError {
  const what = failure.kind === 'badLine' ? `"${failure.line.text}"` : 'the configuration';
  return new LibraryError('BAD_OPTION', `Cannot use ${what}: ${failure.reason}`);
}
