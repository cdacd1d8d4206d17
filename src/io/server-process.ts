/** A node on this machine: the node itself, its ports over Node.js, and its listening sockets. */
import type { Server } from 'node:net';
import { resolve } from 'node:path';
import type { TlsOptions } from 'node:tls';
import type { LoadedConfig, Settings } from '../config/index.ts';
import {
  Node,
  type Ports,
  type SentinelInit,
  type Wire,
  type WireEvents,
  busPort,
} from '../node/index.ts';
import { claim } from './claim.ts';
import { machineClock, machineRng } from './clock.ts';
import { type MachineFiles, machineFiles } from './files.ts';
import { WireBuffers } from './handle-wire.ts';
import {
  ListenError,
  type ListenTarget,
  UnixSocketError,
  closeAll,
  listen,
  listenUnix,
} from './listeners.ts';
import type { LogWriter } from './log-file.ts';
import { OpenWires } from './open-wires.ts';
import { outboundNetwork } from './outbound.ts';
import { machineFacts } from './system.ts';
import { type TlsMaterial, isTlsWanted, readTls } from './tls.ts';
import { touchMemory } from './touch-memory.ts';
import { unsupportedText } from './unsupported.ts';

/** Sockets that have not closed by then are cut when the node ends. */
const END_MS_MAX = 1000;
/** Of a connection that came too early. */
const NO_EVENTS: WireEvents = { data: () => undefined, closed: () => undefined };

export interface ServerProcessOptions {
  readonly config: LoadedConfig;
  /** Absolute path; empty without one. */
  readonly configFile: string;
  readonly log: LogWriter;
  /** The node has ended by itself: SHUTDOWN, a signal or a fatal error. */
  readonly onEnd: (exitCode: number) => void;
  /** Makes the node a Sentinel. */
  readonly sentinel?: SentinelInit;
  /** It listens; its data may still have to be loaded. */
  readonly onListening?: () => void;
  /** Starts copies of the node; without it there are none. */
  readonly copies?: Ports['copies'];
  /** Lets the node name its process and say how readily it may be killed. */
  readonly ownProcess?: Ports['ownProcess'];
  /** Stands between the node and the world, for faults on purpose. */
  readonly wrapPorts?: (ports: Ports) => Ports;
  /** Stands before the node's entrances, likewise. */
  readonly wrapEntrance?: (node: Node) => Entrance;
}

/** Where connections and timers reach the node; what happens on its connections goes through their events. */
export type Entrance = Pick<Node, 'accept' | 'acceptBus' | 'wake' | 'work' | 'send'>;

/** Where clients connect to; port 0: nowhere. */
interface ClientPlace {
  readonly port: number;
  readonly tlsPort: number;
  readonly bind: readonly string[];
}

/** Why a node could not start, in one line. */
export class StartError extends Error {
  override readonly name: string = 'StartError';
  /** Whether it is the data on disk that cannot be loaded. */
  readonly isDataCorrupt: boolean;

  constructor(message: string, isDataCorrupt: boolean = false) {
    super(message);
    this.isDataCorrupt = isDataCorrupt;
  }
}

/** A node with real sockets, timers and files; several may live in one process. */
export class ServerProcess {
  readonly node: Node;
  readonly #options: ServerProcessOptions;
  readonly #entrance: Entrance;
  readonly #settings: Settings;
  /** Of the bus and the unix socket. */
  readonly #servers: Server[] = [];
  #clientServers: Server[] = [];
  #clientPlace: ClientPlace = { port: 0, tlsPort: 0, bind: [] };
  #tls: TlsMaterial | undefined;
  readonly #buffers: WireBuffers = new WireBuffers();
  #alarm: NodeJS.Timeout | undefined;
  #alarmAt = 0;
  readonly #wires: OpenWires = new OpenWires();
  readonly #files: MachineFiles;
  /** Whether the node has the files of the machine, and not others in their place. */
  readonly #isOnDisk: boolean;
  #hasStarted = false;
  #hasEnded = false;
  #setReady: (flaw: string | undefined) => void = () => undefined;
  /** The reason why the node cannot go on, or undefined, when its data is loaded. */
  readonly #ready: Promise<string | undefined> = new Promise((resolve) => {
    this.#setReady = resolve;
  });

  /** @throws StartError for a configuration that could not be obeyed */
  constructor(options: ServerProcessOptions) {
    const unsupported = unsupportedText(options.config);
    if (unsupported !== undefined) throw new StartError(unsupported);
    this.#options = options;
    const initial = options.config.settings;
    this.#files = machineFiles(() => (this.#settings ?? initial).dir || process.cwd());
    const flaw = this.#configureTls(initial);
    if (flaw !== undefined) {
      options.log('warning', flaw);
      throw new StartError('Failed to configure TLS. Check logs for more info.');
    }
    const ownPorts = this.#ports(initial);
    const ports = options.wrapPorts?.(ownPorts) ?? ownPorts;
    this.#isOnDisk = ports.files === this.#files;
    this.node = new Node({
      ports,
      config: options.config,
      configFile: options.configFile,
      onReady: (flaw) => this.#setReady(flaw),
      ...(options.sentinel === undefined ? {} : { sentinel: options.sentinel }),
    });
    this.#settings = this.node.settings;
    this.#entrance = options.wrapEntrance?.(this.node) ?? this.node;
  }

  /**
   * Starts the node and listens; done when the data is loaded. Clients that come before are told to wait.
   * @throws StartError when the node cannot start or a port is taken
   */
  async start(): Promise<void> {
    const settings = this.#settings;
    try {
      if (settings['cluster-enabled']) {
        this.#servers.push(
          ...(await listen({
            ...this.#listenFacts(),
            port: busPort(settings),
            bind: settings.bind,
            tls: () => (settings['tls-cluster'] ? this.#tls?.server : undefined),
            refused: (reason) =>
              this.#options.log('verbose', `Error accepting cluster node connection: ${reason}`),
            accept: (wire) => this.#accept(wire, 'acceptBus'),
          })),
        );
      }
      await this.#listenForClients(clientPlaceOf(settings));
      this.#servers.push(
        ...(await listenUnix(settings, {
          buffers: this.#buffers,
          accept: (wire) => this.#accept(wire, 'accept'),
        })),
      );
      if (settings['cluster-enabled'] && this.#isOnDisk) await this.#claimNodesFile();
      this.#options.onListening?.();
      // Not before the ports are ours: the files may be those of another server that has them.
      this.#hasStarted = true;
      const flaw = this.node.start();
      if (flaw !== undefined) throw new StartError(flaw);
      const late = await this.#ready;
      if (late !== undefined) throw new StartError(late, true);
    } catch (error) {
      await this.kill();
      if (error instanceof UnixSocketError) throw new StartError(error.message);
      if (!(error instanceof ListenError)) throw error;
      this.#options.log('warning', `Warning: ${error.message}`);
      throw new StartError(`Failed listening on port ${error.port} (TCP), aborting.`);
    }
  }

  /** Two nodes with one file would be one node to all others. */
  async #claimNodesFile(): Promise<void> {
    const name = this.#settings['cluster-config-file'];
    const claimed = await claim(resolve(this.#settings.dir, name));
    if (claimed === undefined) {
      throw new StartError(
        `Sorry, the cluster configuration file ${name} is already used by a different Redis Cluster node. ` +
          'Please make sure that different nodes use different cluster configuration files.',
      );
    }
    this.#servers.push(...claimed);
  }

  #listenFacts(): Pick<ListenTarget, 'buffers' | 'backlog' | 'keepAliveSeconds'> {
    const settings = this.#settings;
    return {
      buffers: this.#buffers,
      backlog: settings['tcp-backlog'],
      keepAliveSeconds: () => settings['tcp-keepalive'],
    };
  }

  async #listenForClients(place: ClientPlace): Promise<void> {
    const { port, tlsPort, bind } = place;
    const common = {
      ...this.#listenFacts(),
      bind,
      accept: (wire: Wire) => this.#accept(wire, 'accept'),
      turnsAway: () => {
        const { clients, stats } = this.node;
        if (clients.isFull) stats.rejectedConnections++;
        return clients.isFull;
      },
      refused: (reason: string) =>
        this.#options.log('warning', `Error accepting a client connection: ${reason}`),
    };
    const plain = port === 0 ? [] : await listen({ ...common, port, tls: () => undefined });
    this.#clientServers = plain;
    if (tlsPort !== 0) {
      const tls = (): TlsOptions | undefined => this.#tls?.server;
      this.#clientServers = [...plain, ...(await listen({ ...common, port: tlsPort, tls }))];
    }
    this.#clientPlace = place;
  }

  async #listenAnew(done: (isListening: boolean) => void): Promise<void> {
    const isListening = await this.#move();
    if (!this.#hasEnded) done(isListening);
  }

  /** Moves the client port; where that fails, it stays. Says whether it moved. */
  async #move(): Promise<boolean> {
    const place = clientPlaceOf(this.#settings);
    const old = this.#clientServers;
    const oldPlace = this.#clientPlace;
    // On the same port the old sockets would be in the way of the new ones.
    const mustCloseFirst = [place.port, place.tlsPort].some(
      (port) => port !== 0 && (port === oldPlace.port || port === oldPlace.tlsPort),
    );
    this.#clientServers = [];
    if (mustCloseFirst) await closeAll(old);
    try {
      await this.#listenForClients(place);
    } catch (error) {
      if (!(error instanceof ListenError)) throw error;
      this.#options.log('warning', `Warning: ${error.message}`);
      await closeAll(this.#clientServers);
      if (mustCloseFirst) await this.#listenForClients(oldPlace);
      else this.#clientServers = old;
      return false;
    }
    if (!mustCloseFirst) await closeAll(old);
    return true;
  }

  /**
   * Ends the node in order, as SIGTERM does; `onEnd` follows when the replicas have caught up and the data is saved.
   * @param words as SHUTDOWN has them, in lower case
   */
  shutdown(words: readonly string[] = []): void {
    this.node.beginTurn();
    this.node.shutdown(words);
    this.node.endTurn();
  }

  /** Ends it at once: connections are cut, nothing is said. */
  async kill(): Promise<void> {
    this.#hasEnded = true;
    clearTimeout(this.#alarm);
    this.#files.close();
    const closed = closeAll([...this.#servers, ...this.#clientServers]);
    this.#wires.destroyAll();
    await closed;
  }

  #accept(wire: Wire, entrance: 'accept' | 'acceptBus'): WireEvents {
    if (!this.#hasStarted) {
      wire.destroy();
      return NO_EVENTS;
    }
    const tracked = this.#wires.track(this.#entrance[entrance](wire));
    tracked.wire = wire;
    return tracked;
  }

  /** `initial` until the node is there, whose settings may change. */
  #ports(initial: Settings): Ports {
    const settings = (): Settings => this.#settings ?? initial;
    const outbound = outboundNetwork({
      buffers: this.#buffers,
      sourceIp: () => settings()['bind-source-addr'] || undefined,
      tls: (purpose) => {
        const isWanted = settings()[purpose === 'data' ? 'tls-replication' : 'tls-cluster'];
        return isWanted ? this.#tls?.client : undefined;
      },
    });
    return {
      clock: machineClock,
      rng: machineRng(),
      files: this.#files,
      system: machineFacts,
      network: {
        connect: (target, events) => {
          const tracked = this.#wires.track({
            opened: () => events.opened?.(),
            data: (buf, size) => events.data(buf, size),
            drained: () => events.drained?.(),
            closed: (reason) => {
              if (!this.#hasEnded) events.closed(reason);
            },
          });
          tracked.wire = outbound.connect(target, tracked);
          return tracked.wire;
        },
      },
      log: this.#options.log,
      listenAnew: (done) => void this.#listenAnew(done),
      configureTls: () => this.#configureTls(settings()),
      setAlarm: (at) => this.#setAlarm(at),
      callSoon: () => void setImmediate(() => this.#hasEnded || this.#entrance.work()),
      sendSoon: () => void setImmediate(() => this.#hasEnded || this.#entrance.send()),
      touchMemory,
      sleep: (ms) => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms),
      ended: (exitCode) => void this.#end(exitCode),
      ...(this.#options.ownProcess === undefined ? {} : { ownProcess: this.#options.ownProcess }),
      ...(this.#options.copies === undefined ? {} : { copies: this.#options.copies }),
    };
  }

  /** Why the keys and certificates of these settings will not do; then those in force stay. */
  #configureTls(settings: Settings): string | undefined {
    if (!isTlsWanted(settings)) return undefined;
    const material = readTls(settings);
    if (typeof material === 'string') return material;
    this.#tls = material;
    return undefined;
  }

  #setAlarm(at: number): void {
    // One that rings earlier will do: it is set anew then, and nearly every turn asks for a later one.
    if (this.#hasEnded || (this.#alarm !== undefined && this.#alarmAt <= at)) return;
    clearTimeout(this.#alarm);
    this.#alarmAt = at;
    this.#alarm = setTimeout(
      () => {
        this.#alarm = undefined;
        this.#entrance.wake();
      },
      Math.max(0, at - machineClock.monoMs()),
    );
  }

  async #end(exitCode: number): Promise<void> {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    clearTimeout(this.#alarm);
    this.#files.close();
    const closed = closeAll([...this.#servers, ...this.#clientServers]);
    const cut = setTimeout(() => this.#wires.destroyAll(), END_MS_MAX);
    if (exitCode !== 0) this.#wires.destroyAll();
    await closed;
    clearTimeout(cut);
    this.#options.onEnd(exitCode);
  }
}

function clientPlaceOf({ port, 'tls-port': tlsPort, bind }: Settings): ClientPlace {
  return { port, tlsPort, bind };
}

/** A path of the configuration, which is relative to where the process was started. */
export function absolutePath(path: string): string {
  return path === '' ? '' : resolve(path);
}
