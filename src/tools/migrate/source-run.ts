/** One master of the source on its way to the target: its feed, its spool, and the copy that is made of them. */
import { setTimeout as pause } from 'node:timers/promises';
import { ClientError, type Deployment, type Endpoint, formatAddress } from '../../client/index.ts';
import { askReadAbilities } from '../flow/index.ts';
import type { RunPhase, RunStatus } from './run-status.ts';
import type { SlotKey } from './slot-key.ts';
import { SourceFeed } from './source-feed.ts';
import { canContinue } from './source-history.ts';
import type { SourceRunOptions } from './source-run-options.ts';
import { Spool, type SpoolItem } from './spool.ts';
import type { StoredProgress } from './stored-progress.ts';
import { TargetCopy } from './target-copy.ts';

/** How long a target that was lost may take to come back, such as for a failover, and between two tries. */
const TARGET_WAIT_MS = 120_000;
const TARGET_RETRY_MS = 250;
const HOLD_POLL_MS = 2;
/** A master that is away for less is waited for, at the end too. */
const PATIENCE_MS = 5000;

export class SourceRun {
  readonly name: string;
  readonly #options: SourceRunOptions;
  readonly #spool: Spool;
  readonly #feed: SourceFeed;
  readonly #copy: TargetCopy;
  #isHeld = false;
  #isApplying = false;
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
  /** Whether the node that is followed is none with slots any more, and who has its place is to be found. */
  #isAstray = false;
  /** Whether nobody has its place. */
  #isOver = false;
  /** The history that the source must have when it continues, to be sure that it is the one that was carried out. */
  #expectedReplid: string | undefined;

  private constructor(
    options: SourceRunOptions,
    made: { readonly spool: Spool; readonly feed: SourceFeed; readonly copy: TargetCopy },
  ) {
    this.#options = options;
    this.name = formatAddress(options.address);
    this.#spool = made.spool;
    this.#feed = made.feed;
    this.#copy = made.copy;
  }

  /** Connects to the target. Throws ClientError. */
  static async open(options: SourceRunOptions): Promise<SourceRun> {
    const { address, spoolBytesMax, note, dir, key, target, beat } = options;
    const name = formatAddress(address);
    const spool = new Spool({ dir, name: key });
    const abilities = await askReadAbilities(options.source);
    const feed = new SourceFeed({
      address,
      spool,
      spoolBytesMax,
      timeoutMs: target.timeoutMs,
      valkeyVersion: abilities.valkeyVersion,
      beat,
      log: (line) => note(`${name}: ${line}`),
    });
    return new SourceRun(options, {
      spool,
      feed,
      copy: await TargetCopy.open(options, feed, abilities),
    });
  }

  /** What the state knows it by. */
  get key(): string {
    return this.#options.key;
  }

  /** The slots for which the target is known to be right, as text; `-` while there are none. */
  get slots(): string {
    return this.#options.state.slotsOf(this.key);
  }

  /** Address that is followed now. */
  get address(): string {
    return this.#feed.name;
  }

  get endpoint(): Endpoint {
    return this.#feed.endpoint;
  }

  /** The connection to the target; only while held. */
  get target(): Deployment {
    return this.#copy.target;
  }

  /** Whether the source makes no snapshot for us now. */
  get hasSnapshot(): boolean {
    return this.#feed.hasSnapshot || this.#isOver;
  }

  /** Whether other runs have the place of this one. */
  get isOver(): boolean {
    return this.#isOver;
  }

  get isCaughtUp(): boolean {
    return this.#isOver || (this.#isFollowing && this.#copy.isMended);
  }

  /** Whether it will be so in a moment, without more of the stream; not when the master is away. */
  get isMending(): boolean {
    return this.#isFollowing && !this.#copy.isMended && this.downMs < PATIENCE_MS;
  }

  get #isFollowing(): boolean {
    if (this.#isAstray || !this.#copy.isSettled) return false;
    if (this.#feed.beginCount !== this.#beginCount) return false;
    // After a resumption the source has to agree first.
    return this.#expectedReplid === undefined || this.#feed.phase === 'connected';
  }

  /** Whether everything up to this offset of the source is on the target. */
  hasApplied(offset: number): boolean {
    return this.isCaughtUp && (this.#isOver || this.#copy.appliedOffset >= offset);
  }

  status(): RunStatus {
    const { bytes, size } = this.#feed.snapshot;
    const { oldestMs, heldBytes } = this.#spool;
    const { appliedOffset, hasStream } = this.#copy;
    const { receivedOffset } = this.#feed;
    return {
      source: this.name,
      follows: this.address,
      phase: this.#phase,
      snapshotBytes: bytes,
      snapshotSize: size,
      ...this.#copy.facts(),
      receivedOffset,
      appliedOffset,
      lagBytes: hasStream ? Math.max(heldBytes, receivedOffset - appliedOffset) : heldBytes,
      lagMs: oldestMs === undefined ? 0 : Math.round(performance.now() - oldestMs),
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
    const isDown = this.#feed.isDown || this.#isUnheard || this.#isAstray;
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
    if (!this.#isAstray) return;
    this.#isAstray = false;
    this.#feed.restart();
  }

  /** Other runs have all slots of its master: nothing that it sends counts any more. */
  endSource(): void {
    if (this.#isOver) return;
    this.#options.note(`${this.name}: has no slots any more`);
    this.#isOver = true;
    this.#feed.stop();
    this.#clearSpool();
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
        await this.#copy.catchUp();
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
    if (kind === 'begin') return this.#isMaster();
    if (kind !== 'stream' || expected === undefined || this.#feed.replid === expected) return true;
    this.#clearSpool();
    this.#feed.restart();
    return false;
  }

  /**
   * Whether a snapshot that begins is of a node with slots. A master that gave away its last becomes a replica of who took
   * them: what it sends then is the other's, which another run carries out.
   */
  async #isMaster(): Promise<boolean> {
    const { source, note } = this.#options;
    if (!source.isCluster) return true;
    await source.refresh();
    if (source.masters().some((master) => formatAddress(master) === this.address)) return true;
    note(`${this.name}: ${this.address} is no master with slots; waits for who has its place`);
    this.#isAstray = true;
    this.#feed.stop();
    this.#clearSpool();
    return false;
  }

  #clearSpool(): void {
    this.#spool.clear();
    this.#beginCount = this.#feed.beginCount;
  }

  async #startOver(cause: ClientError): Promise<void> {
    this.#options.note(`${this.name}: ${cause.message}`);
    this.#feed.stop();
    this.#clearSpool();
    this.#isApplying = false;
    this.#isBusy = false;
    const deadlineMs = performance.now() + TARGET_WAIT_MS;
    for (;;) {
      try {
        await this.#copy.reopen();
        if (this.#isOver) return;
        if (!(await this.#resume())) this.#feed.restart();
        return;
      } catch (error) {
        const isLate = performance.now() > deadlineMs || this.#isEnding;
        if (!(error instanceof ClientError) || isLate) throw error;
        await pause(TARGET_RETRY_MS);
      }
    }
  }

  /** Goes on where the target says that it is. Answers false when all must be copied anew. */
  async #resume(): Promise<boolean> {
    const progress = await this.#copy.stored();
    if (progress === undefined) return false;
    const replid = await this.#askSource(progress);
    if (replid === undefined) {
      this.#copy.tellAnew();
      return false;
    }
    this.#resumes++;
    await this.#copy.goOn(progress);
    this.#expectedReplid = replid;
    this.#feed.resume(progress.position);
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

  /** Returns when all that was taken is carried out; nothing is from then on, until `release`. Throws ClientError. */
  async hold(): Promise<void> {
    this.#isHeld = true;
    while (this.#isApplying) await pause(HOLD_POLL_MS);
    await this.#copy.drain();
  }

  release(): void {
    this.#isHeld = false;
  }

  /** What the stream says of this slot up to `offset` does not count. */
  leaveOut(slot: number, offset: number): void {
    this.#copy.leaveOut(slot, offset);
  }

  /** Puts keys in the place of what the target has; only while held. Throws ClientError. */
  async put(keys: readonly SlotKey[]): Promise<void> {
    await this.#copy.put(this.#options.targetDb(0) ?? 0, keys);
  }

  /** Looks after the target, and after what is left to do, while nothing comes from the source. */
  probe(): void {
    if (this.#isBusy || this.#isEnding || this.#spool.oldestMs !== undefined) return;
    if (this.#copy.hasLostNode || this.#copy.isMending) this.#spool.push('probe');
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
    await this.#copy.leave();
  }

  /** After `run` has ended, for good: there is no next one. Throws ToolError and ClientError. */
  async complete(): Promise<void> {
    await this.#copy.complete();
  }

  /** After `run` has ended: nothing is stored about its master any more. Throws ClientError. */
  async forget(): Promise<void> {
    await this.#copy.forget();
  }

  /** Ends everything at once. */
  close(): void {
    this.#isEnding = true;
    this.#feed.stop();
    this.#spool.close();
    this.#copy.close();
  }

  get #phase(): RunPhase {
    if (!this.#isStarted) return 'waiting';
    if (this.isCaughtUp) return 'following';
    if (this.#copy.hasStream) return 'catching up';
    return this.#copy.hasSnapshot ? 'snapshot' : 'connecting';
  }

  async #apply({ kind, bytes, arrivedMs }: SpoolItem): Promise<void> {
    switch (kind) {
      case 'begin':
        this.#snapshots++;
        this.#beginCount++;
        return this.#copy.beginSnapshot();
      case 'snapshot':
        return this.#copy.pushSnapshot(bytes);
      case 'abort':
        return this.#copy.abortSnapshot();
      case 'end':
        return this.#copy.endSnapshot(Number(bytes.toString()));
      case 'probe':
        if (!this.#copy.hasLostNode) return undefined;
        throw new ClientError('CLOSED', 'A connection to the target ended');
      case 'stream':
        return this.#copy.pushStream(bytes, arrivedMs);
    }
  }
}
