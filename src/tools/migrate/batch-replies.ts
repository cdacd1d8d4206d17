/** What became of a batch: which of its commands were refused, and which items must be sent again. */
import type { RawReplies } from '../../client/index.ts';
import { PARSED, ReplyScanner, Request, RequestParser } from '../../resp/index.ts';
import type { Layout, StreamBatch, Unit } from './stream-batch.ts';

/** A command that was not carried out. */
export interface Refusal {
  readonly args: readonly Buffer[];
  readonly db: number;
  readonly reason: string;
}

export interface BatchOutcome {
  readonly refusals: readonly Refusal[];
  /** Indexes of items of which nothing was carried out and that may be sent again, in order. */
  readonly again: readonly number[];
}

const MINUS = 0x2d;
const ASTERISK = 0x2a;
const LF = 0x0a;
const COLON = 0x3a;
const ZERO = 0x30;
/** A bulk of the target's own making is never longer. */
const BULK_BYTES_MAX = 0x7fffffff;
/** Errors that another node, or the same a little later, will not give. */
const PASSING: ReadonlySet<string> = new Set([
  'MOVED',
  'ASK',
  'TRYAGAIN',
  'CLUSTERDOWN',
  'LOADING',
  'EXECABORT',
]);

export function isPassing(reason: string): boolean {
  return PASSING.has(reason.split(' ', 1)[0] ?? '');
}

/** Whether every command did what it should. */
export function areAllDone({ buf, starts, ends }: RawReplies): boolean {
  for (let i = 0; i < starts.length; i++) {
    const first = buf[starts[i]!];
    if (first === MINUS) return false;
    if (first === ASTERISK && hasErrors(buf, starts[i]!, ends[i]!)) return false;
  }
  return true;
}

function hasErrors(buf: Buffer, start: number, end: number): boolean {
  for (let at = start + 1; at < end; at++) {
    // The bytes of a bulk may look like an error: that is told by reading the array.
    if (buf[at] !== MINUS || buf[at - 1] !== LF) continue;
    return elementsOf(buf, start, end).some((element) => buf[element] === MINUS);
  }
  return false;
}

/** Where the elements of an array reply begin. */
function elementsOf(buf: Buffer, start: number, end: number): number[] {
  const scanner = new ReplyScanner();
  const starts: number[] = [];
  for (let at = buf.indexOf(LF, start) + 1; at < end;) {
    starts.push(at);
    at = scanner.scan(buf, at, end);
    if (at < 0) break;
  }
  return starts;
}

/** Whether an item was to renew a key and found none. */
export function hasMissedRenewal(batch: StreamBatch, { buf, starts, ends }: RawReplies): boolean {
  const { renewals } = batch;
  if (renewals.length === 0) return false;
  const { plain, units } = batch.layout();
  const wanted = new Set(renewals);
  const isZero = (start: number): boolean => buf[start] === COLON && buf[start + 1] === ZERO;
  if (plain.some((index, n) => wanted.has(index) && isZero(starts[n]!))) return true;
  let next = plain.length;
  for (const { steps } of units) {
    const exec = next + steps.length + 2;
    next = exec + 1;
    const isWanted = steps.map((step) => 'item' in step && wanted.has(step.item));
    if (buf[starts[exec]!] !== ASTERISK || !isWanted.includes(true)) continue;
    const elements = elementsOf(buf, starts[exec]!, ends[exec]!);
    if (isWanted.some((is, i) => is && isZero(elements[i]!))) return true;
  }
  return false;
}

/** Sorts out the replies to a batch. */
export function sortOut(batch: StreamBatch, replies: RawReplies): BatchOutcome {
  return new Sorter(batch, replies).sort(batch.layout());
}

class Sorter {
  readonly #batch: StreamBatch;
  readonly #replies: RawReplies;
  readonly #refusals: Refusal[] = [];
  readonly #again: number[] = [];
  #next = 0;

  constructor(batch: StreamBatch, replies: RawReplies) {
    this.#batch = batch;
    this.#replies = replies;
  }

  sort({ plain, units }: Layout): BatchOutcome {
    for (const index of plain) {
      const reason = this.#error();
      if (reason === undefined) continue;
      if (isPassing(reason)) this.#again.push(index);
      else this.#refuse(index, reason);
    }
    for (const unit of units) this.#sortUnit(unit);
    return { refusals: this.#refusals, again: this.#again.toSorted((a, b) => a - b) };
  }

  #sortUnit(unit: Unit): void {
    const begun = this.#error();
    const queued = unit.steps.map(() => this.#error());
    const position = this.#error();
    const at = this.#next++;
    const { buf, starts, ends } = this.#replies;
    if (buf[starts[at]!] !== ASTERISK) {
      const exec = buf.toString('latin1', starts[at]! + 1, ends[at]! - 2);
      return this.#abandoned(unit, queued, position ?? begun ?? exec);
    }
    const elements = elementsOf(buf, starts[at]!, ends[at]!);
    for (const [i, step] of unit.steps.entries()) {
      const start = elements[i]!;
      if (buf[start] === MINUS && 'item' in step) this.#refuse(step.item, errorAt(buf, start));
    }
  }

  /** Nothing of the unit was carried out. Without what was refused for good, it can be tried again. */
  #abandoned(unit: Unit, queued: readonly (string | undefined)[], reason: string): void {
    let isSmaller = false;
    const left: number[] = [];
    for (const [i, step] of unit.steps.entries()) {
      if (!('item' in step)) continue;
      const error = queued[i];
      if (error === undefined || isPassing(error)) {
        left.push(step.item);
      } else {
        isSmaller = true;
        this.#refuse(step.item, error);
      }
    }
    if (isSmaller || isPassing(reason)) this.#again.push(...left);
    else for (const item of left) this.#refuse(item, reason);
  }

  /** The error that the next reply is. */
  #error(): string | undefined {
    const { buf, starts } = this.#replies;
    const start = starts[this.#next++]!;
    return buf[start] === MINUS ? errorAt(buf, start) : undefined;
  }

  #refuse(index: number, reason: string): void {
    const [args = []] = requestsOf(this.#batch.bytesOf(index), 1);
    const { db } = this.#batch.items[index]!;
    this.#refusals.push({ args: args.map((arg) => Buffer.from(arg)), db, reason });
  }
}

function errorAt(buf: Buffer, start: number): string {
  return buf.toString('latin1', start + 1, buf.indexOf(LF, start) - 1);
}

/** The requests in `bytes`, which we wrote ourselves. */
export function requestsOf(bytes: Buffer, count: number): Buffer[][] {
  const parser = new RequestParser({ bulkBytesMax: BULK_BYTES_MAX, splitInline: () => undefined });
  const request = new Request();
  const requests: Buffer[][] = [];
  for (let at = 0; requests.length < count; at = parser.end) {
    if (parser.parse(request, bytes, at, bytes.length) !== PARSED) break;
    requests.push(Array.from({ length: request.argc }, (_, i) => request.bytes(i)));
  }
  return requests;
}
