/** One round over all keys after the other. */
import { type Deployment, RequestBuffer, type RespClient } from '../../client/index.ts';
import { DUMP_FOOTER_BYTES } from '../../rdb/index.ts';
import {
  type Abilities,
  type Answers,
  type DatabasePair,
  type ExpiryQuestion,
  type FieldExpiryPolicy,
  type KeyBatch,
  PayloadFitter,
  type Side,
  ask,
  expiryQuestion,
  isProgressKey,
  keyAt,
  keysOf,
  scanPage,
} from '../flow/index.ts';
import { ToolError } from '../errors.ts';
import { PortraitPainter, comparePortraits } from '../verify/index.ts';
import type { FlowControl } from './control.ts';
import type { KeyFilter } from './key-filter.ts';
import type { Quarantine } from './quarantine.ts';
import { refusedKey } from './refused-key.ts';
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
  /** Of the target, which is asked in the same way as the source. */
  readonly abilities: { readonly source: Abilities; readonly target: Abilities };
  readonly fieldExpiry: FieldExpiryPolicy;
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
/** What the target has under a key; undefined: nothing. */
type Seen = { readonly payload: Buffer; readonly expireAtUnixMs: number } | undefined;

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
  readonly #fitter: PayloadFitter;
  readonly #painter: PortraitPainter;
  #writer: TargetWriter | undefined;
  #keyCount = 0;
  #bytes = 0;
  #changes = 0;

  constructor(options: ScanRoundsOptions) {
    this.#options = options;
    this.#judge = new RefusalJudge('replace', options.quarantine, () => undefined);
    const { target } = options.abilities;
    this.#fitter = new PayloadFitter(target, options.fieldExpiry);
    this.#painter = new PortraitPainter(target.hasFieldExpiry);
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
      droppedFields: this.#fitter.droppedFields,
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
    const { source, target, control, signal, abilities } = this.#options;
    const question = expiryQuestion(abilities.source);
    const perKey = 1 + question.replyCount;
    const side = { deployment: source, db: pair.source };
    const read = await this.#read(side, batch, keys, question);
    const there = this.isWhole
      ? await this.#readTarget({ deployment: target, db: pair.target }, batch, keys)
      : undefined;
    let bytes = 0;
    for (const [place, index] of keys.entries()) {
      if (this.#isElsewhere(errorAt(read, perKey * place, perKey))) continue;
      const payload = bulkAt(read, place, perKey);
      if (payload === undefined) continue;
      const expireAtUnixMs = question.unixMs(read, place, perKey * place + 1);
      const fitted = this.#fit(pair, keyAt(batch, index), payload);
      if (fitted === undefined) continue;
      if (!this.isWhole) this.#keyCount++;
      else if (there !== undefined && this.#areSame(fitted, expireAtUnixMs, there[place])) continue;
      this.#changes++;
      bytes += fitted.length;
      this.#put(pair, { batch, index }, fitted, expireAtUnixMs);
    }
    this.#bytes += bytes;
    await control.admit(bytes, () => signal.aborted);
  }

  /** The payload as the target takes it; undefined where it takes none, which is told once. */
  #fit(pair: DatabasePair, name: Buffer, { buf, at, size }: Payload): Buffer | undefined {
    const fitted = this.#fitter.fitPayload(buf.subarray(at, at + size));
    if (Buffer.isBuffer(fitted)) return fitted;
    if (fitted.isFieldExpiry) {
      throw refusedKey(`${JSON.stringify(name.toString())}: ${fitted.reason}`);
    }
    if (!this.isWhole) {
      this.#options.quarantine.add([Buffer.from('RESTORE'), name], pair.source, fitted.reason);
    }
    return undefined;
  }

  /** Whether the target has it, in whatever form. */
  #areSame(payload: Buffer, expireAtUnixMs: number, there: Seen): boolean {
    if (there === undefined) return false;
    const isEqual =
      isEqualBut(payload, there.payload) || isEqualValue(this.#painter, payload, there.payload);
    const areBothBounded = expireAtUnixMs < 0 === there.expireAtUnixMs < 0;
    const isNear = Math.abs(expireAtUnixMs - there.expireAtUnixMs) <= TTL_TOLERANCE_MS;
    return isEqual && areBothBounded && isNear;
  }

  #put(
    { target: db }: DatabasePair,
    { batch: { buf, at, size }, index }: { readonly batch: KeyBatch; readonly index: number },
    payload: Buffer,
    expireAtUnixMs: number,
  ): void {
    const out = this.#writer?.laneOfKey(db, buf, at[index]!, size[index]!);
    if (out === undefined) return;
    const { hasAbsoluteTtl } = this.#options.abilities.target;
    out.begin(hasAbsoluteTtl ? 6 : 5);
    out.word('RESTORE');
    out.argument(buf, at[index]!, size[index]!);
    out.word(hasAbsoluteTtl ? String(Math.max(0, expireAtUnixMs)) : '0');
    out.argument(payload, 0, payload.length);
    out.word('REPLACE');
    if (hasAbsoluteTtl) return out.word('ABSTTL');
    if (expireAtUnixMs < 0) return;
    out.begin(3);
    out.word('PEXPIREAT');
    out.argument(buf, at[index]!, size[index]!);
    out.word(String(expireAtUnixMs));
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
    question: ExpiryQuestion,
  ): Promise<Answers> {
    const write = (out: RequestBuffer, _: KeyBatch, index: number): void => {
      const { buf, at, size } = batch;
      out.begin(2);
      out.word('DUMP');
      out.argument(buf, at[index]!, size[index]!);
      question.write(out, batch, index);
    };
    return ask(side, { batch, keys, perKey: 1 + question.replyCount, write });
  }

  /** What the target has, in the same form as what is put there. */
  async #readTarget(side: Side, batch: KeyBatch, keys: readonly number[]): Promise<Seen[]> {
    const question = expiryQuestion(this.#options.abilities.target);
    const perKey = 1 + question.replyCount;
    const read = await this.#read(side, batch, keys, question);
    return keys.map((_, place) => {
      const payload = bulkAt(read, place, perKey);
      if (payload === undefined) return undefined;
      const { buf, at, size } = payload;
      const expireAtUnixMs = question.unixMs(read, place, perKey * place + 1);
      return { payload: buf.subarray(at, at + size), expireAtUnixMs };
    });
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
      out?.word(this.#options.abilities.target.unlink);
      out?.argument(batch.buf, batch.at[index]!, batch.size[index]!);
    }
  }
}

/** Errors of a key whose slot is on its way. */
const PASSING: ReadonlySet<string> = new Set(['MOVED', 'ASK', 'TRYAGAIN', 'CLUSTERDOWN']);

/** The bulk reply, or undefined for a key that is not there. */
function bulkAt(
  { bufs, starts, ends }: Answers,
  place: number,
  perKey: number,
): Payload | undefined {
  const n = place * perKey;
  const buf = bufs[place]!;
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
function isEqualBut(one: Buffer, other: Buffer): boolean {
  const size = one.length - DUMP_FOOTER_BYTES;
  return one.length === other.length && one.compare(other, 0, size, 0, size) === 0;
}

/** Servers of two versions have a value in two forms. */
function isEqualValue(painter: PortraitPainter, one: Buffer, other: Buffer): boolean {
  const portraits = [one, other].map((payload) => painter.paint(payload, 0, payload.length));
  const [here, there] = portraits;
  if (here === undefined || there === undefined) return false;
  return comparePortraits(here, there) === undefined;
}
