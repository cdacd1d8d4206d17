/** What the parts of a node see of the whole. */
import type { MonoMs, UnixMs } from '../base/index.ts';
import type { ConfigStore, Settings } from '../config/index.ts';
import type { Keyspace } from '../keyspace/index.ts';
import type { LogLevel, ServerStats } from '../commands/index.ts';
import type { Client } from './client.ts';
import type { Ports, WireFacts } from './ports.ts';
import type { FunctionsPart } from './scripting/functions.ts';

export interface Inside {
  readonly ports: Ports;
  readonly config: ConfigStore;
  readonly settings: Settings;
  readonly keyspace: Keyspace;
  readonly functions: FunctionsPart;
  readonly stats: ServerStats;
  readonly persistence: {
    readonly aof: { restart(): void };
    noteTransfer(startedAt: MonoMs): void;
  };
  /** Time of the current turn. */
  readonly now: MonoMs;
  readonly unixNow: UnixMs;
  log(level: LogLevel, text: string): void;
  /** A machine's `nextWake` may have come nearer. */
  rearm(): void;
  /** A script has begun and goes on in later turns: the data is between two states. */
  readonly isInScript: boolean;
  /** CLIENT PAUSE, or a failover: writes wait. */
  readonly isPaused: boolean;
  client(id: number): Client | undefined;
  allClients(): Iterable<Client>;
  /** A client that has no socket: the link to our master runs its commands as one. */
  createMasterClient(facts: WireFacts | undefined): Client;
  /** Runs one command of our master's stream, unchecked; what it changes is not fed to replicas. */
  runFromMaster(client: Client, buf: Buffer, at: number, size: number): void;
  /** An empty keyspace of the same shape, to load a snapshot aside. */
  createKeyspace(): Keyspace;
  /** It has become a master or a replica. */
  roleChanged(): void;
  /** Lets a blocked client go on with its next request. */
  unblock(client: Client): void;
  /** Does something at the start of every slice of background work until it returns false. */
  addWork(slice: () => boolean): void;
}
