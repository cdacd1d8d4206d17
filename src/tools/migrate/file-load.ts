/** Files on their way to nodes: the snapshot's keys, then the log's commands, each carried out once. */
import { join } from 'node:path';
import { Deployment, type DeploymentOptions } from '../../client/index.ts';
import { isRdbStart } from '../../rdb/index.ts';
import { ToolError } from '../errors.ts';
import {
  type Abilities,
  type FieldExpiryPolicy,
  PayloadFitter,
  ProgressKeys,
  askAbilities,
} from '../flow/index.ts';
import { AofReader } from './aof-reader.ts';
import { CommandFitter } from './command-fitter.ts';
import { CommandKeys } from './command-keys.ts';
import type { FlowControl } from './control.ts';
import { DeferredExpiry } from './deferred-expiry.ts';
import type { KeyFilter } from './key-filter.ts';
import type { Quarantine } from './quarantine.ts';
import { RefusalJudge } from './refusal-judge.ts';
import { refusedKey } from './refused-key.ts';
import { newCopyId } from './run-state.ts';
import type { RunPhase, RunStatus } from './run-status.ts';
import { type Conflict, SnapshotWriter } from './snapshot-writer.ts';
import { piecesOf } from './source-files.ts';
import { removeProgress } from './stored-progress.ts';
import { StreamSender } from './stream-sender.ts';
import { StreamWriter } from './stream-writer.ts';
import { TargetWriter } from './target-writer.ts';

export interface FileLoadOptions {
  /** As the user named them. */
  readonly name: string;
  readonly paths: readonly string[];
  readonly sizeBytes: number;
  readonly target: DeploymentOptions;
  /** Folder for a file of its own; exists. */
  readonly dir: string;
  readonly conflict: Conflict;
  readonly fieldExpiry: FieldExpiryPolicy;
  readonly targetDb: (sourceDb: number) => number | undefined;
  readonly filter: KeyFilter | undefined;
  /** Commands of a log behind this moment are left out; undefined: none are. */
  readonly untilUnixSeconds: number | undefined;
  readonly quarantine: Quarantine;
  readonly control: FlowControl;
  readonly note: (line: string) => void;
  readonly signal: AbortSignal;
}

interface Log {
  readonly reader: AofReader;
  readonly writer: StreamWriter;
  readonly sender: StreamSender;
}

const CONNECTION = 'slotline-migrate-file';

export class FileLoad {
  isWhole = false;
  readonly #options: FileLoadOptions;
  readonly #target: Deployment;
  readonly #abilities: Abilities;
  readonly #fitter: PayloadFitter;
  readonly #keys: ProgressKeys;
  readonly #deferred: DeferredExpiry;
  readonly #judge: RefusalJudge;
  readonly #commandKeys: CommandKeys = new CommandKeys();
  #phase: RunPhase = 'waiting';
  #readBytes = 0;
  #keyCount = 0;
  #leftOutCount = 0;
  #log: Log | undefined;

  private constructor(options: FileLoadOptions, target: Deployment, abilities: Abilities) {
    this.#options = options;
    this.#target = target;
    this.#abilities = abilities;
    this.#fitter = new PayloadFitter(abilities, options.fieldExpiry);
    this.#keys = new ProgressKeys(newCopyId(), target.isCluster);
    this.#deferred = new DeferredExpiry(join(options.dir, 'file.expiry'), Date.now());
    this.#judge = new RefusalJudge(options.conflict, options.quarantine, options.note);
  }

  /** Connects to the target. Throws ClientError. */
  static async open(options: FileLoadOptions): Promise<FileLoad> {
    const target = await Deployment.open(options.target);
    return new FileLoad(options, target, await askAbilities(target));
  }

  status(): RunStatus {
    const { name, sizeBytes } = this.#options;
    return {
      source: name,
      follows: name,
      phase: this.#phase,
      snapshotBytes: this.#readBytes,
      snapshotSize: sizeBytes,
      keys: this.#keyCount,
      skippedKeys: this.#judge.skippedKeys,
      leftOutKeys: this.#leftOutCount,
      droppedFields: this.#fitter.droppedFields,
      commands: this.#log?.writer.commandCount ?? 0,
      streamBytes: 0,
      receivedOffset: this.#readBytes,
      appliedOffset: this.#log?.sender.doneOffset ?? 0,
      lagBytes: sizeBytes - this.#readBytes,
      lagMs: 0,
      brokenTransactions: this.#log?.writer.brokenTransactions ?? 0,
      snapshots: 1,
      resumes: 0,
    };
  }

  /** Carries out all of it, or ends before that when the signal is raised. Throws ToolError and ClientError. */
  async run(): Promise<void> {
    const { paths, signal } = this.#options;
    this.#phase = 'snapshot';
    this.#deferred.open(false);
    for (const path of paths) await this.#file(path);
    this.#phase = 'catching up';
    if (this.#log !== undefined) {
      await this.#log.sender.drain();
      await removeProgress(this.#target, this.#keys);
    }
    const failed = await this.#deferred.settle(this.#target, this.#abilities);
    if (failed > 0) this.#options.note(`${failed} keys have a wrong expiry time`);
    this.isWhole = !signal.aborted;
    if (this.isWhole) this.#phase = 'following';
    this.#deferred.remove();
  }

  close(): void {
    this.#deferred.close();
    this.#target.close();
  }

  async #file(path: string): Promise<void> {
    const { signal, control } = this.#options;
    let snapshot: Snapshot | undefined;
    let isFirst = true;
    for await (const piece of piecesOf(path)) {
      await control.admit(piece.length, () => signal.aborted);
      if (signal.aborted) return;
      this.#readBytes += piece.length;
      if (isFirst && isRdbStart(piece)) snapshot = await this.#beginSnapshot(path);
      else if (isFirst) (await this.#openLog()).reader.begin();
      isFirst = false;
      const rest = snapshot === undefined ? piece : await this.#pushSnapshot(snapshot, piece);
      if (rest.length === 0) continue;
      if (snapshot !== undefined) (await this.#openLog()).reader.begin();
      snapshot = undefined;
      if (await this.#pushLog(path, rest)) break;
    }
    if (snapshot !== undefined && !snapshot.writer.isDone) {
      throw new ToolError('LOCAL', `Cannot read "${path}": it ends in the middle of a snapshot`);
    }
    const left = this.#log?.reader.restBytes ?? 0;
    if (left > 0) this.#options.note(`${path}: ${left} bytes at its end are no whole command`);
  }

  async #beginSnapshot(path: string): Promise<Snapshot> {
    const { conflict, targetDb, filter } = this.#options;
    const target = new TargetWriter(this.#target, CONNECTION, (refusal) =>
      this.#judge.refused(refusal),
    );
    await target.connect();
    const deferred = this.#deferred;
    const { quarantine } = this.#options;
    const writer = new SnapshotWriter({
      ...{ target, deferred, conflict, targetDb, filter },
      ...{ abilities: this.#abilities, fitter: this.#fitter },
      quarantine: (args, db, reason) => quarantine.add(args, db, reason),
    });
    return { path, target, writer };
  }

  /** Answers the bytes behind the snapshot. */
  async #pushSnapshot({ path, target, writer }: Snapshot, piece: Buffer): Promise<Buffer> {
    const before = { keys: writer.keyCount, leftOut: writer.leftOutCount };
    const problem = writer.push(piece);
    if (problem !== undefined) throw new ToolError('LOCAL', `Cannot read "${path}": ${problem}`);
    if (writer.refusal !== undefined) throw refusedKey(writer.refusal);
    this.#keyCount += writer.keyCount - before.keys;
    this.#leftOutCount += writer.leftOutCount - before.leftOut;
    await target.settle();
    if (!writer.isDone) return piece.subarray(piece.length);
    await target.drain();
    for (const what of writer.skipped) this.#options.note(`${path}: ${what} is not copied`);
    return piece.subarray(piece.length - writer.restBytes);
  }

  /** Answers whether what comes next is later than is wanted. */
  async #pushLog(path: string, piece: Buffer): Promise<boolean> {
    const { reader, sender } = await this.#openLog();
    const problem = reader.push(piece);
    if (problem !== undefined) throw new ToolError('LOCAL', `Cannot read "${path}": ${problem}`);
    await sender.settle();
    return reader.isOver;
  }

  async #openLog(): Promise<Log> {
    if (this.#log !== undefined) return this.#log;
    const { targetDb, filter, quarantine, untilUnixSeconds } = this.#options;
    const from = { offset: 0, db: 0, replid: '', isSettled: false };
    const sender = new StreamSender(
      {
        deployment: this.#target,
        keys: this.#keys,
        name: CONNECTION,
        onRefusal: (refusal) => this.#judge.refused(refusal),
        onLate: undefined,
        keyOf: (args) => this.#commandKeys.firstKey(args),
        markSlots: [],
        onMarkSlots: () => undefined,
        beat: undefined,
      },
      from,
    );
    await sender.connect();
    const commands = new CommandFitter({
      ...{ target: this.#abilities, fitter: this.#fitter, policy: this.#options.fieldExpiry },
      // A log has moments already.
      hasRelativeTimes: false,
    });
    const writer = new StreamWriter({
      sender,
      isCluster: this.#target.isCluster,
      deferred: this.#deferred,
      targetDb,
      filter,
      fitter: commands.isIdle ? undefined : commands,
      late: undefined,
      isAlone: () => true,
      quarantine: (args, db, reason) => quarantine.add(args, db, reason),
      getAck: () => undefined,
      onImport: undefined,
      leftOut: new Map(),
      from,
      done: new Map(),
    });
    this.#log = { reader: new AofReader(writer, untilUnixSeconds), writer, sender };
    return this.#log;
  }
}

interface Snapshot {
  readonly path: string;
  readonly target: TargetWriter;
  readonly writer: SnapshotWriter;
}
