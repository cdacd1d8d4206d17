/** One round over all keys after the other. */
import { type Deployment, RequestBuffer, type RespClient } from '../../client/index.ts';
import { DUMP_FOOTER_BYTES } from '../../rdb/index.ts';
import {
  type Answers,
  type DatabasePair,
  type KeyBatch,
  type Side,
  ask,
  isProgressKey,
  keysOf,
  scanPage,
} from '../flow/index.ts';
import { ToolError } from '../errors.ts';
import type { FlowControl } from './control.ts';
import type { KeyFilter } from './key-filter.ts';
import type { Quarantine } from './quarantine.ts';
import { RefusalJudge } from './refusal-judge.ts';
import type { RunStatus } from './run-status.ts';
import { TargetWriter } from './target-writer.ts';

export interface ScanRoundsOptions {
  readonly source: Deployment;
  /** For this alone. */
  readonly target: Deployment;
  readonly pairs: readonly DatabasePair[];
  readonly filter: KeyFilter | undefined;
  /** Whether what the target has and the source has not is ours to remove. */
  readonly mayRemove: boolean;
  /** Whether the source has PEXPIRETIME (7.0). */
  readonly knowsExpireTime: boolean;
  readonly quarantine: Quarantine;
  readonly control: FlowControl;
  readonly signal: AbortSignal;
}

/** A page, whose values are in memory together. */
const PAGE_KEYS = 200;
const CONNECTION = 'slotline-migrate-scan';
const DOLLAR = 0x24;
const MINUS = 0x2d;
const CR = 0x0d;
/** PTTL is as of a moment ago. */
const TTL_TOLERANCE_MS = 1000;

/** A whole bulk reply. */
interface Payload {
  readonly buf: Buffer;
  readonly at: number;
  readonly size: number;
}

export class ScanRounds {
  /** Whole rounds. */
  count = 0;
  readonly #options: ScanRoundsOptions;
  readonly #judge: RefusalJudge;
  #writer: TargetWriter | undefined;
  #keyCount = 0;
  #bytes = 0;
  #changes = 0;

  constructor(options: ScanRoundsOptions) {
    this.#options = options;
    this.#judge = new RefusalJudge('replace', options.quarantine, () => undefined);
  }

  get target(): Deployment {
    return this.#options.target;
  }

  /** Whether every key was looked at. */
  get isWhole(): boolean {
    return this.count > 0;
  }

  status(): RunStatus {
    const name = this.#options.source.name;
    return {
      source: name,
      follows: name,
      phase: this.isWhole ? 'following' : 'snapshot',
      snapshotBytes: this.#bytes,
      snapshotSize: undefined,
      keys: this.#keyCount,
      skippedKeys: 0,
      leftOutKeys: 0,
      commands: 0,
      streamBytes: 0,
      receivedOffset: 0,
      appliedOffset: 0,
      lagBytes: 0,
      lagMs: 0,
      brokenTransactions: 0,
      snapshots: this.count,
      resumes: 0,
    };
  }

  /** Another round; answers how many keys differed. Ends early when the signal is raised. Throws ToolError and ClientError. */
  async next(): Promise<number> {
    const { pairs, source, target, mayRemove, signal } = this.#options;
    this.#changes = 0;
    if (this.isWhole) await Promise.all([source.refresh(), target.refresh()]);
    const writer = new TargetWriter(target, CONNECTION, (refusal) => this.#judge.refused(refusal));
    this.#writer = writer;
    await writer.connect();
    for (const pair of pairs) {
      await this.#eachPage({ deployment: source, db: pair.source }, (batch, keys) =>
        this.#copy(pair, batch, keys),
      );
      if (!this.isWhole || !mayRemove) continue;
      await this.#eachPage({ deployment: target, db: pair.target }, (batch, keys) =>
        this.#remove(pair, batch, keys),
      );
    }
    await writer.drain();
    if (!signal.aborted) this.count++;
    return this.#changes;
  }

  async #eachPage(
    { deployment, db }: Side,
    take: (batch: KeyBatch, keys: readonly number[]) => Promise<void>,
  ): Promise<void> {
    const { filter, signal, control } = this.#options;
    const isWanted = ({ buf, at, size }: KeyBatch, index: number): boolean => {
      const [from, length] = [at[index]!, size[index]!];
      return !isProgressKey(buf, from, length) && (filter?.admits(buf, from, length) ?? true);
    };
    for (const [master] of deployment.masters().entries()) {
      const client: RespClient = await deployment.connection(master, db);
      for (let cursor = '0'; ;) {
        await control.admit(0, () => signal.aborted);
        if (signal.aborted) return;
        const page = await scanPage(client, { cursor, count: PAGE_KEYS });
        const keys = keysOf(page.keys, isWanted);
        if (keys.length > 0) await take(page.keys, keys);
        await this.#writer?.settle();
        ({ cursor } = page);
        if (cursor === '0') break;
      }
    }
  }

  async #copy(pair: DatabasePair, batch: KeyBatch, keys: readonly number[]): Promise<void> {
    const { source, target, control, signal, knowsExpireTime } = this.#options;
    const read = await this.#read({ deployment: source, db: pair.source }, batch, keys, {
      isAbsolute: knowsExpireTime,
    });
    // The target is compared as it is, so it is asked in the same way.
    const there = this.isWhole
      ? await this.#read({ deployment: target, db: pair.target }, batch, keys, {
          isAbsolute: knowsExpireTime,
        })
      : undefined;
    const now = Date.now();
    let bytes = 0;
    for (const [place, index] of keys.entries()) {
      if (this.#isElsewhere(errorAt(read, 2 * place, 2))) continue;
      const payload = bulkAt(read, 2 * place);
      if (payload === undefined) continue;
      const ttl = numberAt(read, 2 * place + 1, 2);
      if (!this.isWhole) this.#keyCount++;
      else if (there !== undefined && areSame(payload, ttl, there, place)) continue;
      this.#changes++;
      bytes += payload.size;
      const expireAtUnixMs = ttl < 0 ? 0 : knowsExpireTime ? ttl : now + ttl;
      const out = this.#writer?.laneOfKey(
        pair.target,
        batch.buf,
        batch.at[index]!,
        batch.size[index]!,
      );
      if (out === undefined) continue;
      out.begin(6);
      out.word('RESTORE');
      out.argument(batch.buf, batch.at[index]!, batch.size[index]!);
      out.word(String(expireAtUnixMs));
      out.argument(payload.buf, payload.at, payload.size);
      out.word('REPLACE');
      out.word('ABSTTL');
    }
    this.#bytes += bytes;
    await control.admit(bytes, () => signal.aborted);
  }

  /** Whether the key is to be looked at in another round. */
  #isElsewhere(error: string | undefined): boolean {
    if (error === undefined) return false;
    if (!PASSING.has(error.split(' ', 1)[0] ?? '')) {
      throw new ToolError('NODE_FAILED', `The source answered: ${error}`);
    }
    this.#changes++;
    return true;
  }

  #read(
    side: Side,
    batch: KeyBatch,
    keys: readonly number[],
    { isAbsolute }: { readonly isAbsolute: boolean },
  ): Promise<Answers> {
    const write = (out: RequestBuffer, { buf, at, size }: KeyBatch, index: number): void => {
      for (const name of ['DUMP', isAbsolute ? 'PEXPIRETIME' : 'PTTL']) {
        out.begin(2);
        out.word(name);
        out.argument(buf, at[index]!, size[index]!);
      }
    };
    return ask(side, { batch, keys, perKey: 2, write });
  }

  async #remove(pair: DatabasePair, batch: KeyBatch, keys: readonly number[]): Promise<void> {
    const { source } = this.#options;
    const answers = await ask(
      { deployment: source, db: pair.source },
      {
        batch,
        keys,
        perKey: 1,
        write: (out, { buf, at, size }, index) => {
          out.begin(2);
          out.word('EXISTS');
          out.argument(buf, at[index]!, size[index]!);
        },
      },
    );
    for (const [place, index] of keys.entries()) {
      if (this.#isElsewhere(errorAt(answers, place, 1))) continue;
      if (numberAt(answers, place, 1) !== 0) continue;
      this.#changes++;
      const out = this.#writer?.laneOfKey(
        pair.target,
        batch.buf,
        batch.at[index]!,
        batch.size[index]!,
      );
      out?.begin(2);
      out?.word('UNLINK');
      out?.argument(batch.buf, batch.at[index]!, batch.size[index]!);
    }
  }
}

/** Errors of a key whose slot is on its way. */
const PASSING: ReadonlySet<string> = new Set(['MOVED', 'ASK', 'TRYAGAIN', 'CLUSTERDOWN']);

/** The bulk reply, or undefined for a key that is not there. */
function bulkAt({ bufs, starts, ends }: Answers, n: number): Payload | undefined {
  const buf = bufs[Math.floor(n / 2)]!;
  const start = starts[n]!;
  if (buf[start] !== DOLLAR || buf[start + 1] === MINUS) return undefined;
  const at = buf.indexOf(CR, start) + 2;
  return { buf, at, size: ends[n]! - 2 - at };
}

/** The integer of reply `n`; NaN for anything else. */
function numberAt({ bufs, starts, ends }: Answers, n: number, perKey: number): number {
  const buf = bufs[Math.floor(n / perKey)]!;
  const text = buf.toString('latin1', starts[n], ends[n]).trimEnd();
  return text.startsWith(':') ? Number(text.slice(1)) : Number.NaN;
}

/** Why the reply is an error; undefined when it is none. */
function errorAt({ bufs, starts, ends }: Answers, n: number, perKey: number): string | undefined {
  const buf = bufs[Math.floor(n / perKey)]!;
  return buf[starts[n]!] === MINUS
    ? buf.toString('latin1', starts[n]! + 1, ends[n]! - 2)
    : undefined;
}

/** Payloads end with the version of whoever wrote them. */
function areSame(payload: Payload, ttl: number, there: Answers, place: number): boolean {
  const other = bulkAt(there, 2 * place);
  if (other?.size !== payload.size) return false;
  const size = payload.size - DUMP_FOOTER_BYTES;
  const isEqual =
    payload.buf.compare(other.buf, other.at, other.at + size, payload.at, payload.at + size) === 0;
  const otherTtl = numberAt(there, 2 * place + 1, 2);
  return isEqual && ttl < 0 === otherTtl < 0 && Math.abs(ttl - otherTtl) <= TTL_TOLERANCE_MS;
}
