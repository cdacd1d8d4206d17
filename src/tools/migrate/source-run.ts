/** One master of the source on its way to the target: its feed, its spool, and what is made of them. */
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { invariant } from '../../base/index.ts';
import { ClientError, Deployment, type Endpoint, formatAddress } from '../../client/index.ts';
import { ReplyError } from '../../resp/index.ts';
import { ToolError } from '../errors.ts';
import { type KeyBatch, ProgressKeys } from '../flow/index.ts';
import { clearTarget } from './clear-target.ts';
import { DeferredExpiry } from './deferred-expiry.ts';
import { RefusalJudge } from './refusal-judge.ts';
import { type CopyRecord, newCopyId } from './run-state.ts';
import type { RunPhase, RunStatus } from './run-status.ts';
import { SnapshotWriter } from './snapshot-writer.ts';
import type { SlotKey } from './slot-key.ts';
import { SourceFeed } from './source-feed.ts';
import { canContinue } from './source-history.ts';
import type { SourceRunOptions } from './source-run-options.ts';
import { Spool, type SpoolItem } from './spool.ts';
import {
  type StoredProgress,
  endOldConnections,
  readProgress,
  removeProgress,
} from './stored-progress.ts';
import { CommandKeys } from './command-keys.ts';
import type { StreamPosition } from './marks.ts';
import { StreamSender } from './stream-sender.ts';
import { StreamWriter } from './stream-writer.ts';
import { TargetWriter } from './target-writer.ts';

/** How long a target that was lost may take to come back, such as for a failover, and between two tries. */
const TARGET_WAIT_MS = 120_000;
const TARGET_RETRY_MS = 250;
const HOLD_POLL_MS = 2;
export class SourceRun {
  readonly name: string;
  readonly #options: SourceRunOptions;
  readonly #spool: Spool;
  readonly #feed: SourceFeed;
  readonly #deferred: DeferredExpiry;
  readonly #judge: RefusalJudge;
  /** By slot of the source, offsets up to which this stream does not count. */
  readonly #leftOut: Map<number, number> = new Map();
  readonly #imports: Set<number> = new Set();
  #isHeld = false;
  #isApplying = false;
  #slots: string;
  readonly #commandKeys: CommandKeys = new CommandKeys();
  #target: Deployment;
  #copy: CopyRecord | undefined;
  #writer: TargetWriter | undefined;
  #snapshot: SnapshotWriter | undefined;
  #sender: StreamSender | undefined;
  #stream: StreamWriter | undefined;
  /** Source offset from which this run has the stream. */
  #streamFrom = 0;
  #isSettled = false;
  #isStarted = false;
  /** Set between taking a piece and having carried it out. */
  #isBusy = false;
  #snapshots = 0;
  /** Snapshots of the feed that reached us, or never will. */
  #beginCount = 0;
  #resumes = 0;
  #isEnding = false;
  /** Whether what waits is left to the next run. */
  #isAbandoned = false;
  #downSinceMs: number | undefined;
  /** Whether the master did not say where it is when it was asked last. */
  #isUnheard = false;
  /** The history that the source must have when it continues, to be sure that it is the one that was carried out. */
  #expectedReplid: string | undefined;

  private constructor(options: SourceRunOptions, target: Deployment) {
    this.#options = options;
    this.name = formatAddress(options.address);
    this.#target = target;
    this.#judge = new RefusalJudge(options.conflict, options.quarantine);
    this.#slots = options.slots;
    this.#copy = options.state.copyOf(options.slots);
    const fileName = this.name.replaceAll(/[^\w.-]/g, '_');
    this.#spool = new Spool({ dir: options.dir, name: fileName });
    const expiryName = `${options.slots.replaceAll(/[^\w.-]/g, '_')}.expiry`;
    this.#deferred = new DeferredExpiry(join(options.dir, expiryName), Date.now());
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
    return new SourceRun(options, await Deployment.open(options.target));
  }

  /** Whether the source makes no snapshot for us now. */
  get hasSnapshot(): boolean {
    return this.#feed.hasSnapshot;
  }

  get isCaughtUp(): boolean {
    if (!this.#isSettled || this.#stream === undefined) return false;
    if (this.#feed.beginCount !== this.#beginCount) return false;
    // After a resumption the source has to agree first.
    return this.#expectedReplid === undefined || this.#feed.phase === 'connected';
  }

  /** Whether everything up to this offset of the source is on the target. */
  hasApplied(offset: number): boolean {
    return this.isCaughtUp && this.#appliedOffset >= offset;
  }

  status(): RunStatus {
    const { bytes, size } = this.#feed.snapshot;
    const { oldestMs } = this.#spool;
    const lagBytes = Math.max(
      this.#spool.heldBytes,
      this.#feed.receivedOffset - this.#appliedOffset,
    );
    return {
      source: this.name,
      follows: this.address,
      phase: this.#phase,
      snapshotBytes: bytes,
      snapshotSize: size,
      keys: this.#snapshot?.keyCount ?? 0,
      skippedKeys: this.#judge.skippedKeys,
      leftOutKeys: this.#snapshot?.leftOutCount ?? 0,
      commands: this.#stream?.commandCount ?? 0,
      streamBytes: this.#stream === undefined ? 0 : this.#appliedOffset - this.#streamFrom,
      receivedOffset: this.#feed.receivedOffset,
      appliedOffset: this.#appliedOffset,
      lagBytes: this.#stream === undefined ? this.#spool.heldBytes : lagBytes,
      lagMs: oldestMs === undefined ? 0 : Math.round(performance.now() - oldestMs),
      brokenTransactions: this.#stream?.brokenTransactions ?? 0,
      snapshots: this.#snapshots,
      resumes: this.#resumes,
    };
  }

  /** Asks the source for its data, or for what an earlier run lacks. Throws ToolError and ClientError. */
  async start(): Promise<void> {
    this.#isStarted = true;
    if (!(await this.#resume())) this.#feed.start();
  }

  /** How long the master has not been reached, milliseconds. */
  get downMs(): number {
    const isDown = this.#feed.isDown || this.#isUnheard;
    if (!this.#isStarted || this.#isEnding || !isDown) this.#downSinceMs = undefined;
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
   * the target itself is asked where to go on. Throws ToolError and ClientError.
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
      await this.#options.control.admit(item.bytes.length, () => this.#isAbandoned);
      while (this.#isHeld && !this.#isAbandoned) await pause(HOLD_POLL_MS);
      if (this.#isAbandoned) return;
      this.#isApplying = true;
      if (await this.#isOfTheHistory(item)) {
        await this.#apply(item);
        this.#spool.recycle(item);
        await this.#catchUp();
      }
      this.#isApplying = false;
      this.#isBusy = false;
    }
  }

  /** What comes first after a resumption tells whether the source goes on with what was carried out. */
  async #isOfTheHistory({ kind }: SpoolItem): Promise<boolean> {
    const expected = this.#expectedReplid;
    if (kind === 'probe') return true;
    this.#expectedReplid = undefined;
    if (kind !== 'stream' || expected === undefined || this.#feed.replid === expected) return true;
    this.#clearSpool();
    this.#feed.restart();
    return false;
  }

  #clearSpool(): void {
    this.#spool.clear();
    this.#beginCount = this.#feed.beginCount;
  }

  async #startOver(cause: ClientError): Promise<void> {
    const { note, target } = this.#options;
    note(`${this.name}: ${cause.message}`);
    this.#feed.stop();
    this.#clearSpool();
    this.#isApplying = false;
    this.#isBusy = false;
    this.#target.close();
    const deadlineMs = performance.now() + TARGET_WAIT_MS;
    for (;;) {
      try {
        this.#target = await Deployment.open(target);
        if (!(await this.#resume())) this.#feed.restart();
        return;
      } catch (error) {
        this.#target.close();
        const isOver = performance.now() > deadlineMs || this.#isEnding;
        if (!(error instanceof ClientError) || isOver) throw error;
        await pause(TARGET_RETRY_MS);
      }
    }
  }

  /** Goes on where the target says that it is. Answers false when all must be copied anew. */
  async #resume(): Promise<boolean> {
    this.#stream = undefined;
    this.#sender = undefined;
    this.#writer = undefined;
    this.#isSettled = false;
    const copy = this.#copy;
    if (copy === undefined) return false;
    await this.#endOldConnections(copy);
    if (copy.phase !== 'stream') return false;
    const keys = new ProgressKeys(copy.id, this.#target.isCluster);
    const progress = await readProgress(this.#target, keys, copy.markSlots);
    const replid = progress === undefined ? undefined : await this.#askSource(progress);
    if (progress === undefined || replid === undefined) {
      this.#options.note(`${this.name}: the copy of this master begins again`);
      return false;
    }
    this.#resumes++;
    const { position } = progress;
    this.#options.note(`${this.name}: goes on behind offset ${position.offset}`);
    this.#deferred.open(true);
    this.#deferred.isPending = !position.isSettled;
    await this.#beginStream(copy, progress);
    this.#expectedReplid = replid;
    this.#feed.resume(position);
    return true;
  }

  async #askSource(progress: StoredProgress): Promise<string | undefined> {
    const address = { ...this.#options.address, ...this.#feed.endpoint };
    const { timeoutMs } = this.#options.target;
    this.#isUnheard = true;
    const replid = await canContinue({ ...address, timeoutMs }, progress);
    this.#isUnheard = false;
    return replid;
  }

  async #endOldConnections({ id }: CopyRecord): Promise<void> {
    try {
      await endOldConnections(this.#target, connectionName(id));
    } catch (error) {
      if (!(error instanceof ReplyError)) throw error;
      this.#options.note(
        `${this.name}: cannot end connections of an earlier run, which must be over: ${error.message}`,
      );
    }
  }

  /** Address that is followed now. */
  get address(): string {
    return this.#feed.name;
  }

  get endpoint(): Endpoint {
    return this.#feed.endpoint;
  }

  /** The slots of its master, as text, as far as it is known. */
  get slots(): string {
    return this.#slots;
  }

  /** Its master has other slots now; answers them. */
  takeSlots(slots: string): string {
    this.#slots = slots;
    return slots;
  }

  /** The connection to the target; only while held. */
  get target(): Deployment {
    return this.#target;
  }

  /** Returns when all that was taken is carried out; nothing is from then on, until `release`. Throws ClientError. */
  async hold(): Promise<void> {
    this.#isHeld = true;
    while (this.#isApplying) await pause(HOLD_POLL_MS);
    await this.#sender?.drain();
  }

  release(): void {
    this.#isHeld = false;
  }

  /** What the stream says of this slot up to `offset` does not count. */
  leaveOut(slot: number, offset: number): void {
    this.#leftOut.set(slot, offset);
  }

  /** Puts keys in the place of what the target has; only while held. Throws ClientError. */
  async put(keys: readonly SlotKey[]): Promise<void> {
    const db = this.#options.targetDb(0) ?? 0;
    for (const { name, payload, expireAtUnixMs } of keys) {
      const words = [expireAtUnixMs, payload, 'REPLACE', 'ABSTTL'] as const;
      try {
        await this.#target.call(db, name, 'RESTORE', name, ...words);
      } catch (error) {
        if (!(error instanceof ReplyError)) throw error;
        const fatal = this.#judge.refused({
          args: [Buffer.from('RESTORE'), name],
          db,
          reason: error.message,
        });
        if (fatal !== undefined) throw fatal;
      }
    }
  }

  /** Looks after the target while nothing comes from the source. */
  probe(): void {
    if (this.#isBusy || this.#isEnding || this.#spool.oldestMs !== undefined) return;
    if (this.#sender?.hasLostNode === true) this.#spool.push('probe');
  }

  /** Takes no more from the source, and lets `run` end when what came is carried out. */
  finish(): void {
    this.#isEnding = true;
    this.#feed.stop();
    const timer = setInterval(() => {
      if (this.#isBusy || this.#spool.heldBytes > 0) return;
      clearInterval(timer);
      this.#spool.close();
    }, 10);
  }

  /** Ends `run` soon, and leaves what was not carried out to the next one. */
  abandon(): void {
    this.#isEnding = true;
    this.#isAbandoned = true;
    this.#feed.stop();
    this.#spool.close();
  }

  /** After `run` has ended: the next run goes on exactly here. Throws ClientError. */
  async leave(): Promise<void> {
    await this.#sender?.drainAndMark(this.#position());
  }

  /** After `run` has ended, for good: removes what was stored on the target for a next run. Throws ClientError. */
  async complete(): Promise<void> {
    await this.#sender?.drain();
    const { id } = this.#copy ?? {};
    if (id !== undefined) {
      await removeProgress(this.#target, new ProgressKeys(id, this.#target.isCluster));
    }
    this.#deferred.remove();
  }

  /** Ends everything at once. */
  close(): void {
    this.#isEnding = true;
    this.#feed.stop();
    this.#spool.close();
    this.#deferred.close();
    this.#target.close();
  }

  get #appliedOffset(): number {
    return this.#sender?.doneOffset ?? 0;
  }

  get #phase(): RunPhase {
    if (!this.#isStarted) return 'waiting';
    if (this.isCaughtUp) return 'following';
    if (this.#stream !== undefined) return 'catching up';
    return this.#snapshot === undefined ? 'connecting' : 'snapshot';
  }

  async #apply({ kind, bytes }: SpoolItem): Promise<void> {
    switch (kind) {
      case 'begin':
        return this.#beginSnapshot();
      case 'snapshot':
        this.#check(this.#snapshot?.push(bytes));
        return this.#writer?.settle();
      case 'abort':
        this.#snapshot = undefined;
        return undefined;
      case 'end':
        return this.#endSnapshot(Number(bytes.toString()));
      case 'probe':
        if (this.#sender?.hasLostNode !== true) return undefined;
        throw new ClientError('CLOSED', 'A connection to the target ended');
      case 'stream':
        this.#check(this.#stream?.push(bytes));
        this.#deferred.keep();
        this.#tellImports();
        this.#sender?.reached(this.#position());
        return this.#sender?.settle();
    }
  }

  #tellImports(): void {
    if (this.#imports.size === 0) return;
    this.#options.onImports([...this.#imports]);
    this.#imports.clear();
  }

  #check(problem: string | undefined): void {
    if (problem === undefined) return;
    throw new ToolError('NODE_FAILED', `Cannot read what ${this.name} sent: ${problem}`);
  }

  /** Whether keys of an earlier, broken snapshot can be told from those that the target had. */
  get #canCopyAnew(): boolean {
    return this.#options.conflict === 'replace' || this.#options.state.wasEmpty;
  }

  async #beginSnapshot(): Promise<void> {
    const { conflict, targetDb, filter, note, state, removesExtra } = this.#options;
    this.#snapshots++;
    this.#beginCount++;
    const earlier = this.#copy;
    if (earlier !== undefined && !this.#canCopyAnew) {
      throw new ToolError(
        'NODES_REFUSED',
        `Cannot copy ${this.name} anew: nobody can tell its keys from those the target had; --on-conflict replace can`,
      );
    }
    this.#copy = {
      id: newCopyId(),
      phase: 'snapshot',
      markSlots: [],
      wholeFrom: 0,
    };
    const clears = removesExtra || (earlier !== undefined && state.wasEmpty);
    if (earlier !== undefined && !clears) {
      note(
        `${this.name}: a new snapshot; without --remove-extra keys that were deleted meanwhile stay on the target`,
      );
    }
    state.setCopy(this.#slots, this.#copy);
    if (earlier !== undefined) {
      await removeProgress(this.#target, new ProgressKeys(earlier.id, this.#target.isCluster));
    }
    if (clears) await this.#clear();
    this.#deferred.open(false);
    this.#isSettled = false;
    this.#stream = undefined;
    this.#sender = undefined;
    this.#writer = new TargetWriter(this.#target, connectionName(this.#copy.id), (refusal) =>
      this.#judge.refused(refusal),
    );
    await this.#writer.connect();
    this.#snapshot = new SnapshotWriter({
      target: this.#writer,
      deferred: this.#deferred,
      conflict: earlier === undefined ? conflict : 'replace',
      targetDb,
      filter,
    });
  }

  async #clear(): Promise<void> {
    const { pairs, source, filter, note } = this.#options;
    const isOurs = ({ buf, at, size }: KeyBatch, index: number): boolean => {
      if (filter?.admits(buf, at[index]!, size[index]!) === false) return false;
      const owner = source.masters()[source.ownerOf(buf, at[index]!, size[index]!)];
      return owner !== undefined && formatAddress(owner) === this.address;
    };
    let count = 0;
    for (const { target: db } of pairs) {
      count += await clearTarget({ deployment: this.#target, db }, isOurs);
    }
    if (count > 0) note(`${this.name}: ${count} keys were removed from the target first`);
  }

  async #endSnapshot(offset: number): Promise<void> {
    const [snapshot, copy] = [this.#snapshot, this.#copy];
    invariant(snapshot !== undefined && copy !== undefined, 'a snapshot ends after it began');
    this.#check(snapshot.isDone ? undefined : 'the snapshot has no end');
    await this.#writer?.drain();
    this.#deferred.save();
    for (const what of snapshot.skipped) this.#options.note(`${this.name}: ${what} is not copied`);
    const position = {
      offset,
      db: snapshot.streamDb,
      replid: this.#feed.replid,
      isSettled: false,
    };
    const whole = { ...copy, wholeFrom: this.#feed.receivedOffset };
    const progress = { position, bySlot: new Map(), topOffset: offset };
    await this.#beginStream(whole, progress);
    // From here on a next run can go on.
    await this.#sender?.drainAndMark(position);
    this.#copy = { ...(this.#copy ?? whole), phase: 'stream' };
    this.#options.state.setCopy(this.#slots, this.#copy);
  }

  async #beginStream(copy: CopyRecord, { position, bySlot }: StoredProgress): Promise<void> {
    const { state, targetDb, filter, isAlone, quarantine } = this.#options;
    this.#copy = copy;
    this.#isSettled = position.isSettled;
    this.#streamFrom = position.offset;
    const { isCluster } = this.#target;
    const sender = new StreamSender(
      {
        deployment: this.#target,
        keys: new ProgressKeys(copy.id, isCluster),
        name: connectionName(copy.id),
        onRefusal: (refusal) => this.#judge.refused(refusal),
        keyOf: (args) => this.#commandKeys.firstKey(args),
        markSlots: copy.markSlots,
        onMarkSlots: (markSlots) => {
          this.#copy = { ...(this.#copy ?? copy), markSlots };
          state.setCopy(this.#slots, this.#copy);
        },
      },
      position,
    );
    await sender.connect();
    this.#sender = sender;
    this.#stream = new StreamWriter({
      sender,
      isCluster,
      deferred: this.#deferred,
      targetDb,
      filter,
      isAlone,
      quarantine: (args, db, reason) => quarantine.add(args, db, reason),
      getAck: () => this.#feed.acknowledge(),
      onImport: (slot) => this.#imports.add(slot),
      leftOut: this.#leftOut,
      from: position,
      done: bySlot,
    });
  }

  #position(): StreamPosition {
    const { offset, db } = this.#stream?.position ?? { offset: 0, db: 0 };
    return { offset, db, replid: this.#feed.replid, isSettled: this.#isSettled };
  }

  /** When all that came during the snapshot is applied, keys get their right expiry times. */
  async #catchUp(): Promise<void> {
    const [copy, sender, stream] = [this.#copy, this.#sender, this.#stream];
    if (this.#isSettled || copy === undefined || sender === undefined || stream === undefined)
      return;
    if (stream.position.offset < copy.wholeFrom) return;
    await sender.drain();
    const deployment = this.#target;
    const failed = await this.#deferred.settle((db) => ({ deployment, db }));
    if (failed > 0) {
      this.#options.note(
        `${this.name}: ${failed} keys have a wrong expiry time; verify --repair target mends them`,
      );
    }
    this.#isSettled = true;
    await sender.drainAndMark(this.#position());
  }
}

function connectionName(id: string): string {
  return `slotline-migrate-${id}`;
}
