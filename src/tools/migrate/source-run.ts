/** One master of the source on its way to the target: its feed, its spool, and what is made of them. */
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { invariant } from '../../base/index.ts';
import {
  ClientError,
  Deployment,
  type DeploymentOptions,
  type Endpoint,
  type NodeAddress,
  formatAddress,
} from '../../client/index.ts';
import { ToolError } from '../errors.ts';
import type { DatabasePair, KeyBatch } from '../flow/index.ts';
import { DeferredExpiry } from './deferred-expiry.ts';
import type { Quarantine } from './quarantine.ts';
import { type Conflict, SnapshotWriter } from './snapshot-writer.ts';
import { SourceFeed } from './source-feed.ts';
import { Spool, type SpoolItem } from './spool.ts';
import { StreamWriter } from './stream-writer.ts';
import { sweep } from './sweep.ts';
import { type Refusal, TargetWriter } from './target-writer.ts';

export interface SourceRunOptions {
  readonly address: NodeAddress;
  /** Of which this master is one; for questions about single keys. */
  readonly source: Deployment;
  /** Whether the master owns a key. */
  readonly isOurs: (batch: KeyBatch, index: number) => boolean;
  readonly pairs: readonly DatabasePair[];
  /** Whether keys that the source does not have are removed from the target. */
  readonly removesExtra: boolean;
  readonly target: DeploymentOptions;
  /** Folder for spool files; exists. */
  readonly dir: string;
  readonly spoolBytesMax: number;
  readonly conflict: Conflict;
  readonly targetDb: (sourceDb: number) => number | undefined;
  /** Whether the source has no other master. */
  readonly isAlone: boolean;
  readonly quarantine: Quarantine;
  readonly note: (line: string) => void;
}

export type RunPhase = 'waiting' | 'connecting' | 'snapshot' | 'catching up' | 'following';

/** Where a master's data is now. */
export interface RunStatus {
  readonly source: string;
  readonly phase: RunPhase;
  /** Bytes of the snapshot that were received, and how many there are if that is known. */
  readonly snapshotBytes: number;
  readonly snapshotSize: number | undefined;
  readonly keys: number;
  /** Keys that were on the target already and left alone. */
  readonly skippedKeys: number;
  /** Keys of databases that are not copied. */
  readonly leftOutKeys: number;
  readonly commands: number;
  /** Bytes of the stream that were applied. */
  readonly streamBytes: number;
  readonly receivedOffset: number;
  readonly appliedOffset: number;
  /** Received and not applied, snapshot or stream. */
  readonly lagBytes: number;
  readonly lagMs: number;
  readonly brokenTransactions: number;
  /** Snapshots that were begun. */
  readonly snapshots: number;
}

/** How long a target that was lost may take to come back, such as for a failover, and between two tries. */
const TARGET_WAIT_MS = 120_000;
const TARGET_RETRY_MS = 250;
/** Errors after which nothing else will go better. */
const FATAL_CODES: ReadonlySet<string> = new Set([
  'OOM',
  'READONLY',
  'NOPERM',
  'NOAUTH',
  'MISCONF',
]);

export class SourceRun {
  readonly name: string;
  readonly #options: SourceRunOptions;
  readonly #spool: Spool;
  readonly #feed: SourceFeed;
  #target: TargetWriter;
  readonly #deferred: DeferredExpiry;
  #snapshot: SnapshotWriter | undefined;
  #stream: StreamWriter | undefined;
  /** Received up to here when the snapshot was written: from there on the target is a copy of one moment. */
  #caughtUpAt = 0;
  #isCaughtUp = false;
  #isStarted = false;
  /** Set between taking a piece and having carried it out. */
  #isBusy = false;
  #skippedKeys = 0;
  #snapshots = 0;
  #fatal: ToolError | undefined;
  #isEnding = false;
  #downSinceMs: number | undefined;

  private constructor(options: SourceRunOptions, target: Deployment) {
    this.#options = options;
    this.name = formatAddress(options.address);
    this.#target = new TargetWriter(target, (refusal) => this.#refused(refusal));
    const fileName = this.name.replaceAll(/[^\w.-]/g, '_');
    this.#spool = new Spool({ dir: options.dir, name: fileName });
    this.#deferred = new DeferredExpiry(join(options.dir, `${fileName}.expiry`), Date.now());
    const { address, spoolBytesMax, note } = options;
    this.#feed = new SourceFeed({
      address,
      spool: this.#spool,
      spoolBytesMax,
      timeoutMs: options.target.timeoutMs,
      log: (line) => note(`${this.name}: ${line}`),
    });
  }

  /** Connects to the target. Throws ClientError. */
  static async open(options: SourceRunOptions): Promise<SourceRun> {
    const run = new SourceRun(options, await Deployment.open(options.target));
    await run.#target.connect();
    return run;
  }

  get hasSnapshot(): boolean {
    return this.#feed.hasSnapshot;
  }

  get isCaughtUp(): boolean {
    return this.#isCaughtUp;
  }

  /** Whether everything up to this offset of the source is on the target, or will be after `finish`. */
  hasApplied(offset: number): boolean {
    return this.#isCaughtUp && this.#appliedOffset >= offset;
  }

  status(): RunStatus {
    const { bytes, size } = this.#feed.snapshot;
    const { oldestMs, heldBytes } = this.#spool;
    return {
      source: this.name,
      phase: this.#phase,
      snapshotBytes: bytes,
      snapshotSize: size,
      keys: this.#snapshot?.keyCount ?? 0,
      skippedKeys: this.#skippedKeys,
      leftOutKeys: this.#snapshot?.leftOutCount ?? 0,
      commands: this.#stream?.commandCount ?? 0,
      streamBytes: this.#stream?.appliedBytes ?? 0,
      receivedOffset: this.#feed.receivedOffset,
      appliedOffset: this.#appliedOffset,
      lagBytes: heldBytes,
      lagMs: oldestMs === undefined ? 0 : Math.round(performance.now() - oldestMs),
      brokenTransactions: this.#stream?.brokenTransactions ?? 0,
      snapshots: this.#snapshots,
    };
  }

  /** Asks the source for its data. */
  start(): void {
    this.#isStarted = true;
    this.#feed.start();
  }

  /** How long the master has not been reached, milliseconds. */
  get downMs(): number {
    if (!this.#isStarted || this.#isEnding || !this.#feed.isDown) this.#downSinceMs = undefined;
    else this.#downSinceMs ??= performance.now();
    return this.#downSinceMs === undefined ? 0 : performance.now() - this.#downSinceMs;
  }

  /** Another node has the master's slots now. */
  follow(endpoint: Endpoint): void {
    const name = formatAddress(endpoint);
    if (name === this.#feed.name) return;
    this.#downSinceMs = undefined;
    this.#options.note(`${this.name}: goes on with ${name}`);
    this.#feed.follow(endpoint);
  }

  /**
   * Carries out what comes until `finish` or `close`. When a node of the target is lost, nobody knows what it did last:
   * this master is copied anew. Throws ToolError and ClientError.
   */
  async run(): Promise<void> {
    for (;;) {
      try {
        return await this.#carryOut();
      } catch (error) {
        if (!(error instanceof ClientError) || this.#isEnding) throw error;
        await this.#startOver(error);
      }
    }
  }

  async #carryOut(): Promise<void> {
    for (;;) {
      const item = await this.#spool.take();
      if (item === undefined) return;
      this.#isBusy = true;
      await this.#apply(item);
      this.#spool.recycle(item);
      if (this.#spool.heldBytes === 0) await this.#target.drain();
      if (this.#fatal !== undefined) throw this.#fatal;
      await this.#catchUp();
      this.#isBusy = false;
    }
  }

  async #startOver(cause: ClientError): Promise<void> {
    const { note, target } = this.#options;
    note(`${this.name}: ${cause.message}; the copy of this master begins again`);
    this.#feed.stop();
    this.#spool.clear();
    this.#isCaughtUp = false;
    this.#isBusy = false;
    this.#target.close();
    const deadlineMs = performance.now() + TARGET_WAIT_MS;
    for (;;) {
      try {
        const deployment = await Deployment.open(target);
        this.#target = new TargetWriter(deployment, (refusal) => this.#refused(refusal));
        await this.#target.connect();
        break;
      } catch (error) {
        this.#target.close();
        const isOver = performance.now() > deadlineMs || this.#isEnding;
        if (!(error instanceof ClientError) || isOver) throw error;
        await pause(TARGET_RETRY_MS);
      }
    }
    this.#feed.restart();
  }

  /** Takes no more from the source, and lets `run` end when what came is carried out. */
  finish(): void {
    this.#isEnding = true;
    this.#feed.stop();
    const timer = setInterval(() => {
      if (!this.#isIdle) return;
      clearInterval(timer);
      this.#spool.close();
    }, 10);
  }

  /** Ends everything at once. */
  close(): void {
    this.#isEnding = true;
    this.#feed.stop();
    this.#spool.close();
    this.#deferred.close();
    this.#target.close();
  }

  get #isIdle(): boolean {
    return !this.#isBusy && this.#spool.heldBytes === 0;
  }

  get #appliedOffset(): number {
    return this.#feed.streamFrom + (this.#stream?.appliedBytes ?? 0);
  }

  get #phase(): RunPhase {
    if (!this.#isStarted) return 'waiting';
    if (this.#isCaughtUp) return 'following';
    if (this.#stream !== undefined) return 'catching up';
    return this.#snapshot === undefined ? 'connecting' : 'snapshot';
  }

  async #apply({ kind, bytes }: SpoolItem): Promise<void> {
    switch (kind) {
      case 'begin':
        return this.#beginSnapshot();
      case 'snapshot':
        this.#check(this.#snapshot?.push(bytes));
        return this.#target.settle();
      case 'abort':
        this.#snapshot = undefined;
        return undefined;
      case 'end':
        return this.#endSnapshot();
      case 'stream':
        this.#check(this.#stream?.push(bytes));
        return this.#target.settle();
    }
  }

  #check(problem: string | undefined): void {
    if (problem === undefined) return;
    throw new ToolError('NODE_FAILED', `Cannot read what ${this.name} sent: ${problem}`);
  }

  #beginSnapshot(): void {
    const { conflict, targetDb, note } = this.#options;
    this.#snapshots++;
    if (this.#snapshots > 1 && conflict !== 'replace') {
      throw new ToolError(
        'NODES_REFUSED',
        `Cannot copy ${this.name} anew: nobody can tell its keys from those the target had; --on-conflict replace can`,
      );
    }
    if (this.#snapshots > 1) {
      note(
        `${this.name}: a new snapshot; without --remove-extra keys that were deleted meanwhile stay on the target`,
      );
    }
    this.#deferred.close();
    this.#isCaughtUp = false;
    this.#stream = undefined;
    this.#snapshot = new SnapshotWriter({
      target: this.#target,
      deferred: this.#deferred,
      conflict,
      targetDb,
    });
  }

  async #endSnapshot(): Promise<void> {
    const snapshot = this.#snapshot;
    invariant(snapshot !== undefined, 'a snapshot ends after it began');
    this.#check(snapshot.isDone ? undefined : 'the snapshot has no end');
    await this.#target.drain();
    const { targetDb, isAlone, quarantine, note } = this.#options;
    for (const what of snapshot.skipped) note(`${this.name}: ${what} is not copied`);
    this.#caughtUpAt = this.#feed.receivedOffset;
    this.#stream = new StreamWriter(
      {
        target: this.#target,
        deferred: this.#deferred,
        targetDb,
        isAlone,
        quarantine: (args, db, reason) => quarantine.add(args, db, reason),
        getAck: () => this.#feed.acknowledge(),
      },
      snapshot.streamDb,
    );
  }

  /** When all that came during the snapshot is applied, keys get their right expiry times. */
  async #catchUp(): Promise<void> {
    if (this.#isCaughtUp || this.#stream === undefined) return;
    if (this.#appliedOffset < this.#caughtUpAt) return;
    await this.#target.drain();
    const { deployment } = this.#target;
    const failed = await this.#deferred.settle((db) => ({ deployment, db }));
    if (failed > 0) {
      this.#options.note(
        `${this.name}: ${failed} keys have a wrong expiry time; verify --repair target mends them`,
      );
    }
    await this.#removeExtra(deployment);
    this.#isCaughtUp = true;
  }

  async #removeExtra(target: Deployment): Promise<void> {
    const { removesExtra, source, isOurs, pairs, note } = this.#options;
    if (!removesExtra) return;
    let count = 0;
    for (const pair of pairs) {
      count += await sweep({
        source: { deployment: source, db: pair.source },
        target: { deployment: target, db: pair.target },
        isOurs,
      });
    }
    if (count > 0) note(`${this.name}: ${count} keys that the source does not have were removed`);
  }

  #refused({ args, db, reason }: Refusal): void {
    const { conflict, quarantine } = this.#options;
    const [code = ''] = reason.split(' ', 1);
    if (code === 'BUSYKEY' && conflict === 'skip') {
      this.#skippedKeys++;
    } else if (code === 'BUSYKEY') {
      const key = JSON.stringify(args[1]?.toString() ?? '');
      const message = `Cannot copy key ${key}: the target has it; see --on-conflict`;
      this.#fatal ??= new ToolError('NODES_REFUSED', message);
    } else if (FATAL_CODES.has(code)) {
      this.#fatal ??= new ToolError('NODE_FAILED', `The target answered: ${reason}`);
    } else {
      quarantine.add(args, db, reason);
    }
  }
}
