/** What the dispatcher needs of the node beyond what commands see. */
import type { Clock } from '../base/index.ts';
import type {
  BlockedOnKeys,
  Command,
  CommandTable,
  Context,
  FunctionService,
  ScriptService,
  Server,
  Session,
} from '../commands/index.ts';
import type { Request } from '../resp/index.ts';
import type { CallMeter } from './call-meter.ts';
import type { ShownCall } from './monitor-line.ts';
import type { Client } from './client.ts';
import type { Eviction } from './eviction.ts';
import type { Propagation } from './propagation.ts';
import type { TrackedCalls } from './tracked-calls.ts';
import type { WaitQueue } from './wait-queue.ts';

/** Tells where a request belongs in a cluster. */
export interface ClusterRouter {
  /** Whether the request that `redirect` last looked at has to wait for the end of a handover of its slot. */
  readonly isWriteHeld: boolean;
  /** Moves of slots: what a `source` sends is run unchecked, within the slots that it said. */
  readonly transfers: {
    mayImport(session: Session, slot: number): boolean;
    importFailed(session: Session, reason: string): void;
  };
  /** Error text for a request that this node must not serve, undefined to serve it. */
  redirect(session: Session, command: Command, request: Request, flags: number): string | undefined;
  /** Error text for a client whose keys this node serves no more, undefined to let it wait. */
  redirectBlocked(session: Session, blocked: BlockedOnKeys): string | undefined;
  /** The slot of the keys of the request that `redirect` last let pass; undefined when it has none. */
  readonly slotOfLastRequest: number | undefined;
  /** The slot of the keys of a script's command; undefined when it has none; an error's text when it may not run here. */
  slotOfScript(session: Session, command: Command, request: Request): number | undefined | string;
}

/** Scripts as the dispatcher sees them. */
export interface ScriptDispatch extends ScriptService {
  /** A script has begun and goes on in later turns; nothing else changes data. */
  readonly isSuspended: boolean;
  /** To whom changes of the running script go: FEED_ bits. */
  readonly targets: number;
  /** The flags of a call of a command that runs a script: those of the script, if it tells them. */
  flagsOf(command: Command, request: Request): number;
}

/** Functions as the dispatcher sees them. */
export interface FunctionDispatch extends FunctionService {
  /** The flags of a call of a command that runs a function: those of the function. */
  flagsOf(command: Command, request: Request): number;
}

export interface DispatchHost extends Server {
  readonly replication: Server['replication'] & { refuseCommand(): void };
  readonly clock: Clock;
  readonly table: CommandTable<Context>;
  readonly propagation: Propagation;
  readonly meter: CallMeter;
  readonly clusterRouter: ClusterRouter | undefined;
  readonly trackedCalls: TrackedCalls;
  readonly waits: WaitQueue;
  readonly isListening: boolean;
  readonly scripts: ScriptDispatch;
  readonly functions: FunctionDispatch;
  /** Commands wait: those that write, or all with `pausesAll`. */
  readonly isPaused: boolean;
  readonly pausesAll: boolean;
  /** A replica without its master that must not serve old data. */
  readonly isStale: boolean;
  /** Data is being loaded, or the last background save failed: some commands are refused. */
  readonly isLimited: boolean;
  /** Keys go while there are more than maxmemory allows. */
  readonly eviction: Pick<Eviction, 'hasRoom' | 'makeRoom'>;
  /** Whether no setting asks for replicas. */
  readonly takesAllChanges: boolean;
  /** Why the disk forbids writes, if it does. */
  diskFailure(): string | undefined;
  /** Whether min-replicas-to-write is met. */
  readonly hasEnoughReplicas: boolean;
  readonly hasMonitors: boolean;
  allowsProtected(client: Client, command: Command): boolean;
  showMonitors(session: Session, call: ShownCall): void;
  /** Ends at once. */
  halt(): void;
  /** Passes a changed command on to backlog and replicas. */
  feed(dbIndex: number, buf: Buffer, at: number, size: number): void;
  /** Ends a client's transaction: queue and watches. */
  discard(session: Session): void;
}
