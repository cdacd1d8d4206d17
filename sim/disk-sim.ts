/**
 * One node with an append-only log, whose process is killed and whose power goes at any moment, over and over. Writers
 * push numbers in order, each in a transaction with a note of it: after every start the log must give a beginning of what
 * was sent, with whole transactions, that reaches as far as `appendfsync` promises.
 */
import { type Rng, invariant } from '../src/base/index.ts';
import { redisRules } from '../src/cluster/index.ts';
import { type Answer, ClientHost, RespConnection, replyText } from './client.ts';
import type { CrashKind } from './files.ts';
import { type CrashPoint, Machine } from './machine.ts';
import { Network } from './network.ts';
import { World } from './world.ts';

export type FsyncPolicy = 'always' | 'everysec';

export interface DiskSimOptions {
  readonly seed: number;
  readonly policy: FsyncPolicy;
  readonly lives?: number;
  /** A fault to be found: what `appendfsync` the node really uses. */
  readonly actualPolicy?: FsyncPolicy | 'no';
}

export interface DiskSimResult {
  readonly flaws: readonly string[];
  readonly acknowledged: number;
}

const PORT = 6379;
const WRITERS = 3;
const THINK_MS_MAX = 20;
const LIFE_MS_MAX = 3000;
const START_MS = 5000;
/** With `everysec`, what is older than this survives a loss of power: a second until the sync, and the time that it takes. */
const EVERYSEC_PROMISE_MS = 1500;
const CRASH_POINTS: readonly (CrashPoint | undefined)[] = [
  undefined,
  'beforeReplace',
  'afterReplace',
  'beforeSend',
];

export function runDiskSim(options: DiskSimOptions): DiskSimResult {
  const sim = new DiskSim(options);
  for (let life = 0; life < (options.lives ?? 12) && sim.flaws.length === 0; life++) sim.live();
  return { flaws: sim.flaws, acknowledged: sim.acknowledged };
}

class DiskSim {
  readonly flaws: string[] = [];
  readonly #world: World;
  readonly #rng: Rng;
  readonly #network: Network;
  readonly #machine: Machine;
  readonly #client: ClientHost;
  readonly #policy: FsyncPolicy;
  readonly #writers: Writer[];
  #lastCrash: CrashKind = 'kill';
  #crashedAtMs = 0;

  constructor({ seed, policy, actualPolicy = policy }: DiskSimOptions) {
    this.#policy = policy;
    this.#world = new World(seed);
    this.#rng = this.#world.branch();
    this.#network = new Network(this.#world);
    const config = [
      `port ${PORT}`,
      'protected-mode no',
      'save ""',
      'appendonly yes',
      `appendfsync ${actualPolicy}`,
    ];
    this.#machine = new Machine({
      world: this.#world,
      network: this.#network,
      name: 'node',
      ip: '10.0.0.1',
      port: PORT,
      configText: config.join('\n'),
      configFile: '',
      program: { kind: 'node', rules: redisRules },
      watcher: {
        started: () => undefined,
        ended: () => {
          this.#crashedAtMs = this.#world.nowMs;
        },
        logged: () => undefined,
        failed: (_machine, error) => this.flaws.push(`the node failed: ${String(error)}`),
      },
    });
    this.#client = new ClientHost(this.#network, 'client', '10.0.1.1');
    this.#writers = Array.from({ length: WRITERS }, (_, id) => new Writer(id));
  }

  get acknowledged(): number {
    return this.#writers.reduce((sum, writer) => sum + writer.acknowledged, 0);
  }

  /** From a start to the next crash. */
  live(): void {
    const refusal = this.#machine.start();
    if (refusal !== undefined) return this.#fail(`the node does not start: ${refusal}`);
    if (!this.#world.runUntil(() => this.#ask(['PING']) === 'PONG', START_MS)) {
      return this.#fail(`the node does not answer: ${this.#machine.startFailure ?? 'it runs'}`);
    }
    for (const writer of this.#writers) this.#check(writer);
    if (this.flaws.length > 0) return;
    const connections = this.#writers.map((writer) => {
      const connection = this.#connect();
      this.#write(writer, connection);
      return connection;
    });
    this.#world.run(this.#rng.below(LIFE_MS_MAX));
    if (this.#rng.below(2) === 0) this.#connect().request(['BGREWRITEAOF'], () => undefined);
    this.#lastCrash = this.#rng.below(2) === 0 ? 'kill' : 'powerLoss';
    const point = CRASH_POINTS[this.#rng.below(CRASH_POINTS.length)];
    if (point !== undefined) {
      this.#machine.crashAt(point, this.#lastCrash);
      this.#world.runUntil(() => !this.#machine.isRunning, this.#rng.below(LIFE_MS_MAX));
    }
    this.#machine.crash(this.#lastCrash);
    // Or one that was still trying to connect would write in the next life, while that is looked at.
    for (const connection of connections) connection.close();
    this.#world.run(START_MS);
  }

  #connect(): RespConnection {
    return new RespConnection(this.#network, this.#client, { ip: '10.0.0.1', port: PORT });
  }

  /** The reply as text, once time has passed; a connection that closed answers with nothing. */
  #ask(args: readonly string[]): string | undefined {
    const connection = this.#connect();
    let answer: Answer | undefined;
    connection.request(args, (given) => {
      answer = given;
    });
    this.#world.runUntil(() => answer !== undefined, START_MS);
    connection.close();
    return answer?.kind === 'reply' ? replyText(answer.reply) : undefined;
  }

  /** Transaction after transaction until the connection ends. */
  #write(writer: Writer, connection: RespConnection): void {
    if (connection.isClosed) return;
    const number = ++writer.sent;
    const ignore = (): void => undefined;
    connection.request(['MULTI'], ignore);
    connection.request(['SET', `last:${writer.id}`, String(number)], ignore);
    connection.request(['RPUSH', `list:${writer.id}`, String(number)], ignore);
    connection.request(['EXEC'], (answer) => {
      if (answer.kind === 'closed') return;
      writer.acknowledge(number, this.#world.nowMs);
      this.#world.afterMs(this.#rng.below(THINK_MS_MAX), () => this.#write(writer, connection));
    });
  }

  #check(writer: Writer): void {
    const { id } = writer;
    const text = this.#ask(['GET', `last:${id}`]);
    const last = text === 'null' ? 0 : Number(text);
    const length = Number(this.#ask(['LLEN', `list:${id}`]));
    const end = this.#ask(['LINDEX', `list:${id}`, '-1']);
    const mayLoseLate = this.#policy === 'everysec' && this.#lastCrash === 'powerLoss';
    const promised = mayLoseLate
      ? writer.acknowledgedBy(this.#crashedAtMs - EVERYSEC_PROMISE_MS)
      : writer.acknowledged;
    const isWhole = length === last && (length === 0 || Number(end) === last);
    if (isWhole && last >= promised && last <= writer.sent) return writer.goOnFrom(last);
    this.#fail(
      `writer ${id} after ${this.#lastCrash}: promised ${promised}, sent ${writer.sent}, but last is ${last} and ` +
        `the list has ${length} that end with ${end}`,
    );
  }

  #fail(what: string): void {
    this.flaws.push(what);
  }
}

class Writer {
  readonly id: number;
  sent = 0;
  acknowledged = 0;
  /** When which number was acknowledged, in this life. */
  #times: { readonly number: number; readonly atMs: number }[] = [];
  /** What the node had at its start. */
  #kept = 0;

  constructor(id: number) {
    this.id = id;
  }

  acknowledge(number: number, atMs: number): void {
    invariant(number > this.acknowledged, 'answers come in order');
    this.acknowledged = number;
    this.#times.push({ number, atMs });
  }

  /** The last number that was acknowledged by then. */
  acknowledgedBy(ms: number): number {
    return this.#times.findLast(({ atMs }) => atMs <= ms)?.number ?? this.#kept;
  }

  goOnFrom(number: number): void {
    this.sent = number;
    this.acknowledged = number;
    this.#kept = number;
    this.#times = [];
  }
}
