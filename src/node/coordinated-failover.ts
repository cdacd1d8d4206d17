/**
 * FAILOVER: a master without a cluster stops writes, waits until a replica has all of them, and changes places with it.
 * Source: documentation of the command, behaviour and log lines of redis-server 7.0.15.
 */
import { type MonoMs, addMs, monoMs } from '../base/index.ts';
import type { FailoverOrder, FailoverService, FailoverState, LogLevel } from '../commands/index.ts';
import { type ReplicaSession, replicaIp } from '../replication/index.ts';

export interface CoordinatedFailoverHost {
  readonly now: MonoMs;
  readonly clients: { pauseForFailover(until: MonoMs): void; unpauseForFailover(): void };
  readonly replication: {
    readonly history: { readonly masterReplOffset: number };
    readonly source: { replicas(): readonly ReplicaSession[]; arePingsHeld: boolean };
    readonly isReplica: boolean;
    requestAcks(): void;
    /** Follows a replica of ours that is to be our master. */
    handOver(host: string, port: number): void;
    promote(): void;
  };
  log(level: LogLevel, text: string): void;
  rearm(): void;
}

/** Writes wait until it is over, however long that takes. */
const FOREVER: MonoMs = monoMs(Infinity);

type State =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'waiting';
      readonly order: FailoverOrder;
      readonly deadline: MonoMs | undefined;
    }
  | { readonly kind: 'handingOver' };

const STATE_NAMES: Readonly<Record<State['kind'], FailoverState>> = {
  none: 'no-failover',
  waiting: 'waiting-for-sync',
  handingOver: 'failover-in-progress',
};

export class CoordinatedFailover implements FailoverService {
  readonly #host: CoordinatedFailoverHost;
  #state: State = { kind: 'none' };
  /** What the replica answered that is to take over. */
  #isAccepted: boolean | undefined;

  constructor(host: CoordinatedFailoverHost) {
    this.#host = host;
  }

  get state(): FailoverState {
    return STATE_NAMES[this.#state.kind];
  }

  begin(order: FailoverOrder): string | undefined {
    const host = this.#host;
    const { replication } = host;
    if (this.#state.kind !== 'none') return 'ERR FAILOVER already in progress.';
    if (replication.isReplica) return 'ERR FAILOVER is not valid when server is a replica.';
    const replicas = replication.source.replicas();
    if (replicas.length === 0) return 'ERR FAILOVER requires connected replicas.';
    const { target, isForced, timeoutMs } = order;
    if (isForced && (timeoutMs === undefined || target === undefined)) {
      return 'ERR FAILOVER with force option requires both a timeout and target HOST and IP.';
    }
    if (target !== undefined) {
      const found = replicas.find((replica) => isAt(replica, target));
      if (found === undefined) return 'ERR FAILOVER target HOST and PORT is not a replica.';
      if (found.state !== 'online') return 'ERR FAILOVER target replica is not online.';
    }
    host.log(
      'notice',
      target === undefined
        ? 'FAILOVER requested.'
        : `FAILOVER requested to ${target.host}:${target.port}.`,
    );
    const deadline = timeoutMs === undefined ? undefined : addMs(host.now, timeoutMs);
    this.#state = { kind: 'waiting', order, deadline };
    host.clients.pauseForFailover(FOREVER);
    replication.requestAcks();
    replication.source.arePingsHeld = true;
    host.rearm();
    return undefined;
  }

  abort(): boolean {
    if (this.#state.kind === 'none') return false;
    this.#giveUp('Failover manually aborted');
    return true;
  }

  /** Whether `check` may have something to do. */
  get isPending(): boolean {
    return this.#state.kind === 'waiting' || this.#isAccepted !== undefined;
  }

  /** Hands over as soon as a replica has everything or the time is up, and ends when that replica has answered. */
  check(): void {
    const state = this.#state;
    if (state.kind === 'handingOver') this.#take(this.#isAccepted);
    if (state.kind !== 'waiting') return;
    const { now, replication } = this.#host;
    const { target } = state.order;
    const caughtUp = replication.source
      .replicas()
      .find(
        (replica) =>
          replica.state === 'online' &&
          replica.ackOffset === replication.history.masterReplOffset &&
          (target === undefined || isAt(replica, target)),
      );
    if (caughtUp !== undefined) {
      const [host, port] = [replicaIp(caughtUp), caughtUp.listeningPort];
      this.#host.log('notice', `Failover target ${host}:${port} is synced, failing over.`);
      this.#handOver(target?.host ?? host, port);
    } else if (state.deadline !== undefined && now >= state.deadline) {
      this.#timeOut(state.order);
    }
  }

  nextWake(): MonoMs | undefined {
    return this.#state.kind === 'waiting' ? this.#state.deadline : undefined;
  }

  /** The replica that was asked to take over has answered; what follows waits for the end of the turn. */
  answered(isAccepted: boolean): void {
    if (this.#state.kind === 'handingOver') this.#isAccepted = isAccepted;
  }

  #take(isAccepted: boolean | undefined): void {
    if (isAccepted === true) this.#end();
    else if (isAccepted === false) this.#giveUp('Failover target rejected psync request');
  }

  #timeOut({ target, isForced }: FailoverOrder): void {
    if (!isForced || target === undefined) {
      return this.#giveUp('Replica never caught up before timeout');
    }
    const { host, port } = target;
    this.#host.log('notice', `Failover to ${host}:${port} time out exceeded, failing over.`);
    this.#handOver(host, port);
  }

  #handOver(host: string, port: number): void {
    this.#state = { kind: 'handingOver' };
    this.#host.replication.handOver(host, port);
  }

  #giveUp(reason: string): void {
    this.#host.log('notice', `Aborting failover: ${reason}`);
    const wasHandingOver = this.#state.kind === 'handingOver';
    this.#end();
    if (wasHandingOver) this.#host.replication.promote();
  }

  #end(): void {
    this.#state = { kind: 'none' };
    this.#isAccepted = undefined;
    this.#host.replication.source.arePingsHeld = false;
    this.#host.clients.unpauseForFailover();
  }
}

function isAt(
  replica: ReplicaSession,
  target: { readonly host: string; readonly port: number },
): boolean {
  return replica.listeningPort === target.port && replicaIp(replica) === target.host;
}
