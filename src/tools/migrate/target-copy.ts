/**
 * The copy of one master as the target has it: first its snapshot, then its stream of writes. Also where it goes on after a
 * break, which the target itself knows.
 */
import { join } from 'node:path';
import { invariant, keySlot } from '../../base/index.ts';
import { Deployment, formatAddress } from '../../client/index.ts';
import { ReplyError, Request } from '../../resp/index.ts';
import { ToolError } from '../errors.ts';
import {
  type Abilities,
  type KeyBatch,
  PayloadFitter,
  ProgressKeys,
  askAbilities,
  putPayload,
} from '../flow/index.ts';
import type { Refusal } from './batch-replies.ts';
import { clearTarget } from './clear-target.ts';
import { CommandFitter } from './command-fitter.ts';
import { CommandKeys } from './command-keys.ts';
import { DeferredExpiry } from './deferred-expiry.ts';
import { NO_SLOTS } from './ends.ts';
import { LateCopy } from './late-copy.ts';
import { LATE_MS, LateKeys } from './late-keys.ts';
import type { StreamPosition } from './marks.ts';
import { RefusalJudge } from './refusal-judge.ts';
import { refusedKey } from './refused-key.ts';
import { type CopyRecord, newCopyId } from './run-state.ts';
import type { RunStatus } from './run-status.ts';
import type { SlotKey } from './slot-key.ts';
import { SnapshotWriter } from './snapshot-writer.ts';
import type { SourceFeed } from './source-feed.ts';
import type { SourceRunOptions } from './source-run-options.ts';
import {
  type StoredProgress,
  endOldConnections,
  readProgress,
  removeProgress,
} from './stored-progress.ts';
import { type LateCommand, StreamSender } from './stream-sender.ts';
import { StreamWriter } from './stream-writer.ts';
import { TargetWriter } from './target-writer.ts';

/** What the copy needs to know of the stream that it is made from. */
type Source = Pick<
  SourceFeed,
  'name' | 'phase' | 'replid' | 'receivedOffset' | 'gapCount' | 'acknowledge'
>;

export type CopyFacts = Pick<
  RunStatus,
  | 'keys'
  | 'skippedKeys'
  | 'leftOutKeys'
  | 'droppedFields'
  | 'commands'
  | 'streamBytes'
  | 'brokenTransactions'
>;

const NO_SUCH_KEY = 'ERR no such key';
/** Since then masters tell moments, and no times to live. */
const VERSION_OF_REDIS_7 = 10;
/** Keys that are put at once, and their bytes; one key at least. */
const PUT_KEYS = 100;
const PUT_BYTES: number = 1024 * 1024;

export class TargetCopy {
  readonly #options: SourceRunOptions;
  readonly #source: Source;
  /** Of the master, for messages. */
  readonly #name: string;
  readonly #deferred: DeferredExpiry;
  readonly #late: LateKeys;
  readonly #lateCopy: LateCopy;
  readonly #judge: RefusalJudge;
  readonly #commandKeys: CommandKeys = new CommandKeys();
  /** By slot of the source, offsets up to which this stream does not count. */
  readonly #leftOut: Map<number, number> = new Map();
  readonly #imports: Set<number> = new Set();
  readonly #abilities: Abilities;
  readonly #fitter: PayloadFitter;
  readonly #commands: CommandFitter;
  #target: Deployment;
  #record: CopyRecord | undefined;
  #writer: TargetWriter | undefined;
  #snapshot: SnapshotWriter | undefined;
  #sender: StreamSender | undefined;
  #stream: StreamWriter | undefined;
  /** Source offset from which this run has the stream. */
  #streamFrom = 0;
  #isSettled = false;
  /** The history that all marks name. */
  #markedReplid = '';
  /** Gaps in the coming of the stream, and up to where it is late after the last: Infinity until that is known. */
  #gapCount = 0;
  #lateUntil = 0;
  /** Whether its keys come by their slots (`SlotDisputes`), so that the snapshot only begins the stream. */
  #isJoining = false;

  private constructor(
    options: SourceRunOptions,
    source: Source,
    target: Deployment,
    abilities: { readonly source: Abilities; readonly target: Abilities },
  ) {
    this.#options = options;
    this.#source = source;
    this.#name = source.name;
    this.#target = target;
    this.#abilities = abilities.target;
    this.#fitter = new PayloadFitter(abilities.target, options.fieldExpiry);
    this.#commands = new CommandFitter({
      target: abilities.target,
      fitter: this.#fitter,
      hasRelativeTimes: !abilities.source.takesPayload(VERSION_OF_REDIS_7),
      policy: options.fieldExpiry,
    });
    this.#judge = new RefusalJudge(options.conflict, options.quarantine, options.note);
    this.#record = options.state.copyOf(options.key);
    this.#deferred = new DeferredExpiry(join(options.dir, `${options.key}.expiry`), Date.now());
    this.#late = new LateKeys(join(options.dir, `${options.key}.late`));
    const { source: deployment, pairs, filter, note } = options;
    this.#lateCopy = new LateCopy({
      ...{ late: this.#late, source: deployment, pairs, filter },
      address: () => source.name,
      put: (db, keys) => this.put(db, keys),
      remove: async (db, names) => {
        const { unlink } = this.#abilities;
        await Promise.all(names.map((name) => this.#target.call(db, name, unlink, name)));
      },
      note: (line) => note(`${this.#name}: ${line}`),
    });
  }

  /** Connects to the target. Throws ClientError. */
  static async open(
    options: SourceRunOptions,
    source: Source,
    ofSource: Abilities,
  ): Promise<TargetCopy> {
    const target = await Deployment.open(options.target);
    const ofTarget = await askAbilities(target);
    return new TargetCopy(options, source, target, { source: ofSource, target: ofTarget });
  }

  /** The connection to the target. */
  get target(): Deployment {
    return this.#target;
  }

  get hasSnapshot(): boolean {
    return this.#snapshot !== undefined;
  }

  get hasStream(): boolean {
    return this.#stream !== undefined;
  }

  /** Whether all that came during the snapshot is applied. */
  get isSettled(): boolean {
    return this.#isSettled && this.#stream !== undefined;
  }

  /** Whether no key may be wrong because its commands came late. */
  get isMended(): boolean {
    if (!this.#late.isEmpty || this.#source.gapCount !== this.#gapCount) return false;
    return (this.#stream?.position.offset ?? 0) >= this.#lateUntil;
  }

  /** Whether that can be mended now, though nothing comes. */
  get isMending(): boolean {
    return this.isSettled && !this.isMended && this.#source.phase === 'connected';
  }

  /** Whether a connection ended, which an idle stream would not notice. */
  get hasLostNode(): boolean {
    return this.#sender?.hasLostNode === true;
  }

  /** Everything of the source before this offset, it included, is carried out. */
  get appliedOffset(): number {
    return this.#sender?.doneOffset ?? 0;
  }

  facts(): CopyFacts {
    return {
      keys: this.#snapshot?.keyCount ?? 0,
      skippedKeys: this.#judge.skippedKeys,
      leftOutKeys: this.#isJoining ? 0 : (this.#snapshot?.leftOutCount ?? 0),
      droppedFields: this.#fitter.droppedFields,
      commands: this.#stream?.commandCount ?? 0,
      streamBytes: this.#stream === undefined ? 0 : this.appliedOffset - this.#streamFrom,
      brokenTransactions: this.#stream?.brokenTransactions ?? 0,
    };
  }

  /** Connects to the target anew, of which a node was lost: maybe the one that the user named. Throws ClientError. */
  async reopen(): Promise<void> {
    const { target } = this.#options;
    const { address, isCluster } = this.#target;
    const known = isCluster ? this.#target.masters().map((each) => ({ ...address, ...each })) : [];
    this.#target.close();
    this.#target = await Deployment.open({ ...target, seeds: [...target.seeds, ...known] });
  }

  /** Where an earlier run came to, as the target knows; undefined when all must be copied. Throws ClientError. */
  async stored(): Promise<StoredProgress | undefined> {
    this.#stream = undefined;
    this.#sender?.end();
    this.#sender = undefined;
    this.#writer = undefined;
    this.#isSettled = false;
    const record = this.#record;
    if (record === undefined) return undefined;
    await this.#endOldConnections(record);
    if (record.phase !== 'stream') return undefined;
    const progress = await readProgress(this.#target, this.#keysOf(record), record.markSlots);
    if (progress === undefined) this.tellAnew();
    return progress;
  }

  tellAnew(): void {
    this.#options.note(`${this.#name}: the copy of this master begins again`);
  }

  /** Takes the stream from there on. Throws ClientError. */
  async goOn(progress: StoredProgress): Promise<void> {
    const record = this.#record;
    invariant(record !== undefined, 'a copy goes on after it began');
    this.#options.note(`${this.#name}: goes on behind offset ${progress.position.offset}`);
    this.#deferred.open(true);
    this.#deferred.isPending = !progress.position.isSettled;
    this.#late.open(true);
    this.#lateUntil = Infinity;
    await this.#beginStream(record, progress);
  }

  /** A snapshot comes. Throws ToolError and ClientError. */
  async beginSnapshot(): Promise<void> {
    const { conflict, targetDb, filter, note, state, removesExtra, key } = this.#options;
    const earlier = this.#record;
    this.#isJoining = state.slotsOf(key) === NO_SLOTS;
    if (earlier !== undefined && !this.#canCopyAnew) {
      throw new ToolError(
        'NODES_REFUSED',
        `Cannot copy ${this.#name} anew: nobody can tell its keys from those the target had; --on-conflict replace can`,
      );
    }
    const record: CopyRecord = {
      id: newCopyId(),
      phase: 'snapshot',
      markSlots: [],
      wholeFrom: 0,
    };
    const clears = removesExtra || (earlier !== undefined && state.wasEmpty);
    if (earlier !== undefined && !clears) {
      note(
        `${this.#name}: a new snapshot; without --remove-extra keys that were deleted meanwhile stay on the target`,
      );
    }
    this.#keep(record);
    this.#sender?.end();
    if (earlier !== undefined) await removeProgress(this.#target, this.#keysOf(earlier));
    if (clears && !this.#isJoining) await this.#clear();
    this.#deferred.open(false);
    this.#late.open(false);
    this.#isSettled = false;
    this.#stream = undefined;
    this.#sender = undefined;
    this.#writer = new TargetWriter(this.#target, connectionName(record.id), (refusal) =>
      this.#judge.refused(refusal),
    );
    await this.#writer.connect();
    this.#snapshot = new SnapshotWriter({
      target: this.#writer,
      deferred: this.#deferred,
      conflict: earlier === undefined ? conflict : 'replace',
      targetDb: this.#isJoining ? () => undefined : targetDb,
      filter,
      abilities: this.#abilities,
      fitter: this.#fitter,
      quarantine: (args, db, reason) => this.#options.quarantine.add(args, db, reason),
    });
  }

  /** The next bytes of the snapshot. Throws ToolError and ClientError. */
  async pushSnapshot(bytes: Buffer): Promise<void> {
    this.#check(this.#snapshot?.push(bytes));
    const refusal = this.#snapshot?.refusal;
    if (refusal !== undefined) throw refusedKey(refusal);
    await this.#writer?.settle();
  }

  abortSnapshot(): void {
    this.#snapshot = undefined;
  }

  /** The snapshot is whole; behind it the stream comes from this offset on. Throws ToolError and ClientError. */
  async endSnapshot(offset: number): Promise<void> {
    const [snapshot, record] = [this.#snapshot, this.#record];
    invariant(snapshot !== undefined && record !== undefined, 'a snapshot ends after it began');
    this.#check(snapshot.isDone ? undefined : 'the snapshot has no end');
    await this.#writer?.drain();
    this.#deferred.save();
    for (const what of snapshot.skipped) this.#options.note(`${this.#name}: ${what} is not copied`);
    const { replid, receivedOffset } = this.#source;
    const position = { offset, db: snapshot.streamDb, replid, isSettled: false };
    const whole = { ...record, wholeFrom: receivedOffset };
    this.#gapCount = this.#source.gapCount;
    this.#lateUntil = 0;
    await this.#beginStream(whole, { position, bySlot: new Map(), topOffset: offset });
    // From here on a next run can go on.
    await this.#sender?.drainAndMark(position);
    this.#keep({ ...(this.#record ?? whole), phase: 'stream' });
  }

  /** The next bytes of the stream, which came then by `performance.now()`. Throws ToolError and ClientError. */
  async pushStream(bytes: Buffer, arrivedMs: number): Promise<void> {
    await this.#markHistory();
    this.#commands.arrivedUnixMs = Math.round(Date.now() - performance.now() + arrivedMs);
    this.#late.isLate = !this.#deferred.isPending && this.#isLate(arrivedMs);
    this.#check(this.#stream?.push(bytes));
    this.#deferred.keep();
    this.#late.save();
    this.#tellImports();
    this.#sender?.reached(this.#position());
    await this.#sender?.settle();
  }

  /** Nothing of a new history is carried out before every mark names it: an old one could not tell how far it is there. */
  async #markHistory(): Promise<void> {
    const { replid } = this.#source;
    if (replid === this.#markedReplid) return;
    this.#markedReplid = replid;
    await this.#sender?.drainAndMark(this.#position());
  }

  /** After a gap what comes is of nobody knows when, until the source has said where it is. */
  #isLate(arrivedMs: number): boolean {
    if (this.#gapCount !== this.#source.gapCount) {
      this.#gapCount = this.#source.gapCount;
      this.#lateUntil = Infinity;
    }
    const isBehind = (this.#stream?.position.offset ?? 0) < this.#lateUntil;
    return isBehind || performance.now() - arrivedMs > LATE_MS;
  }

  /** Does what can be done only when the stream has been caught up with. Throws ToolError and ClientError. */
  async catchUp(): Promise<void> {
    await this.#correctExpiry();
    await this.#mendLate();
  }

  /** Copies keys anew that got commands late, a lot each time. */
  async #mendLate(): Promise<void> {
    const [sender, stream] = [this.#sender, this.#stream];
    if (!this.isMending || sender === undefined || stream === undefined) return;
    const { offset } = stream.position;
    const isInStep = offset >= this.#source.receivedOffset;
    if (this.#isLate(performance.now())) {
      if (isInStep && this.#lateUntil === Infinity)
        this.#lateUntil = (await this.#lateCopy.askOffset()) ?? Infinity;
      return;
    }
    if (this.#late.isEmpty || offset < this.#late.leftOutUntil) return;
    if (this.#late.isLate && !isInStep) return;
    await sender.drain();
    if (await this.#lateCopy.next()) return;
    await sender.drainAndMark(this.#position());
    this.#late.clear();
  }

  /** A key that the source had and the target has not ended too early there. */
  #refused(refusal: Refusal): Error | undefined {
    const key = this.#commandKeys.firstKey(refusal.args);
    const isOvertaken = this.#options.isDisputed(keySlot(key, 0, key.length));
    if (!refusal.reason.startsWith(NO_SUCH_KEY)) return this.#judge.refused(refusal, isOvertaken);
    this.#noteLate([refusal]);
    return undefined;
  }

  #noteLate(commands: readonly LateCommand[]): void {
    if (this.#deferred.isPending) return;
    const request = new Request();
    for (const { db, args } of commands) {
      request.load(args);
      const known = this.#commandKeys.of(request);
      if (known !== undefined) this.#late.note(db, request, known);
    }
    this.#late.save();
  }

  /** When all that came during the snapshot is applied, keys get their right expiry times. */
  async #correctExpiry(): Promise<void> {
    const [record, sender, stream] = [this.#record, this.#sender, this.#stream];
    if (this.#isSettled || record === undefined || sender === undefined || stream === undefined)
      return;
    if (stream.position.offset < record.wholeFrom) return;
    await sender.drain();
    const failed = await this.#deferred.settle(this.#target, this.#abilities);
    if (failed > 0) {
      this.#options.note(
        `${this.#name}: ${failed} keys have a wrong expiry time; verify --repair target mends them`,
      );
    }
    this.#isSettled = true;
    await sender.drainAndMark(this.#position());
  }

  /** Waits until all that was taken is carried out. Throws ClientError. */
  async drain(): Promise<void> {
    await this.#sender?.drain();
  }

  /** What the stream says of this slot up to `offset` does not count. */
  leaveOut(slot: number, offset: number): void {
    this.#leftOut.set(slot, offset);
  }

  /** Puts keys in the place of what the target has; only while nothing else is carried out. Throws ClientError. */
  async put(db: number, keys: readonly SlotKey[]): Promise<void> {
    for (let at = 0; at < keys.length;) {
      const begin = at;
      for (let bytes = 0; at < keys.length && at - begin < PUT_KEYS && bytes < PUT_BYTES; at++) {
        bytes += keys[at]!.payload.length;
      }
      await Promise.all(keys.slice(begin, at).map((key) => this.#putOne(db, key)));
    }
  }

  /** The next run goes on exactly here. Throws ClientError. */
  async leave(): Promise<void> {
    await this.#sender?.drainAndMark(this.#position());
  }

  /** The stream is over: copies anew what came late at its end, and forgets. Throws ToolError and ClientError. */
  async complete(): Promise<void> {
    await this.drain();
    while (!this.#late.isEmpty && (await this.#lateCopy.next()));
    await this.forget();
  }

  /** Removes what was stored on the target for a next run. Throws ClientError. */
  async forget(): Promise<void> {
    await this.drain();
    if (this.#record !== undefined) await removeProgress(this.#target, this.#keysOf(this.#record));
    this.#deferred.remove();
    this.#late.remove();
  }

  close(): void {
    this.#deferred.close();
    this.#late.close();
    this.#target.close();
  }

  /** Whether keys of an earlier, broken snapshot can be told from those that the target had. */
  get #canCopyAnew(): boolean {
    return this.#options.conflict === 'replace' || this.#options.state.wasEmpty;
  }

  #keep(record: CopyRecord): void {
    this.#record = record;
    this.#options.state.setCopy(this.#options.key, record);
  }

  #keysOf({ id }: CopyRecord): ProgressKeys {
    return new ProgressKeys(id, this.#target.isCluster);
  }

  async #endOldConnections({ id }: CopyRecord): Promise<void> {
    try {
      await endOldConnections(this.#target, connectionName(id));
    } catch (error) {
      if (!(error instanceof ReplyError)) throw error;
      this.#options.note(
        `${this.#name}: cannot end connections of an earlier run, which must be over: ${error.message}`,
      );
    }
  }

  #check(problem: string | undefined): void {
    if (problem === undefined) return;
    throw new ToolError('NODE_FAILED', `Cannot read what ${this.#name} sent: ${problem}`);
  }

  #tellImports(): void {
    if (this.#imports.size === 0) return;
    this.#options.onImports([...this.#imports]);
    this.#imports.clear();
  }

  async #clear(): Promise<void> {
    const { pairs, source, filter, note } = this.#options;
    const isOurs = ({ buf, at, size }: KeyBatch, index: number): boolean => {
      if (filter?.admits(buf, at[index]!, size[index]!) === false) return false;
      const owner = source.masters()[source.ownerOf(buf, at[index]!, size[index]!)];
      return owner !== undefined && formatAddress(owner) === this.#source.name;
    };
    let count = 0;
    for (const { target: db } of pairs) {
      count += await clearTarget({ deployment: this.#target, db }, isOurs);
    }
    if (count > 0) note(`${this.#name}: ${count} keys were removed from the target first`);
  }

  async #beginStream(record: CopyRecord, { position, bySlot }: StoredProgress): Promise<void> {
    const { targetDb, filter, isAlone, quarantine, beat } = this.#options;
    this.#record = record;
    this.#isSettled = position.isSettled;
    this.#streamFrom = position.offset;
    this.#markedReplid = position.replid;
    const sender = new StreamSender(
      {
        deployment: this.#target,
        keys: this.#keysOf(record),
        name: connectionName(record.id),
        beat,
        onRefusal: (refusal) => this.#refused(refusal),
        onLate: (commands) => this.#noteLate(commands),
        keyOf: (args) => this.#commandKeys.firstKey(args),
        markSlots: record.markSlots,
        onMarkSlots: (markSlots) => this.#keep({ ...(this.#record ?? record), markSlots }),
      },
      position,
    );
    await sender.connect();
    this.#sender = sender;
    this.#stream = new StreamWriter({
      sender,
      isCluster: this.#target.isCluster,
      deferred: this.#deferred,
      late: this.#late,
      targetDb,
      filter,
      fitter: this.#commands.isIdle ? undefined : this.#commands,
      isAlone,
      quarantine: (args, db, reason) => quarantine.add(args, db, reason),
      getAck: () => this.#source.acknowledge(),
      onImport: (slot) => this.#imports.add(slot),
      leftOut: this.#leftOut,
      from: position,
      done: bySlot,
    });
  }

  #position(): StreamPosition {
    const { offset, db } = this.#stream?.position ?? { offset: 0, db: 0 };
    return { offset, db, replid: this.#source.replid, isSettled: this.#isSettled };
  }

  async #putOne(db: number, { name, payload, expireAtUnixMs }: SlotKey): Promise<void> {
    const fitted = this.#fitter.fitPayload(payload);
    if (!Buffer.isBuffer(fitted)) {
      if (fitted.isFieldExpiry) {
        throw refusedKey(`${JSON.stringify(name.toString())}: ${fitted.reason}`);
      }
      return this.#options.quarantine.add([Buffer.from('RESTORE'), name], db, fitted.reason);
    }
    try {
      await putPayload(this.#target, this.#abilities, {
        db,
        name,
        payload: fitted,
        expireAtUnixMs,
      });
    } catch (error) {
      if (!(error instanceof ReplyError)) throw error;
      const args = [Buffer.from('RESTORE'), name];
      const fatal = this.#judge.refused({ args, db, reason: error.message });
      if (fatal !== undefined) throw fatal;
    }
  }
}

function connectionName(id: string): string {
  return `slotline-migrate-${id}`;
}
