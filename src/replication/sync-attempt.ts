/**
 * One conversation with a master, from the first PING to the point where the stream goes on: introduction, PSYNC, and
 * the snapshot if there must be one.
 */
import { type Replid, assertNever, invariant } from '../base/index.ts';
import {
  type HandshakeStep,
  type LinkOptions,
  handshakeCommands,
  judgeHandshake,
} from './link-handshake.ts';
import { type LinkEffect, linkLog } from './link-types.ts';
import { type PayloadReader, payloadReader } from './payload.ts';
import { parsePsyncAnswer } from './psync-answer.ts';
import { encodeCommand } from './wire.ts';

/**
 * - `handshake`: answers to the introduction are awaited.
 * - `psync`: the answer to PSYNC.
 * - `header`: a snapshot was promised.
 * - `transfer`: it arrives.
 * - `loading`: it is here whole, and not yet our data.
 */
export type AttemptPhase = 'handshake' | 'psync' | 'header' | 'transfer' | 'loading';

export type AttemptOutcome =
  /** Nothing will come of it; the reason is logged. */
  | { readonly kind: 'failed' }
  /** The stream goes on where we are; with `replid`, under a new id. */
  | { readonly kind: 'continue'; readonly replid: Replid | undefined };

/** Where the history of the arriving snapshot stands; no id from a master that knows only SYNC. */
export interface SnapshotPosition {
  readonly replid: Replid | undefined;
  readonly offset: number;
}

/** Our own place, to be continued by PSYNC: the first byte lacking. */
export interface OwnPosition {
  readonly replid: Replid;
  readonly offset: number;
  /** The other end follows us and is asked to take over: `PSYNC … FAILOVER`. */
  readonly isHandover: boolean;
}

/** Longest answer line of a master, in bytes. Source: 7.0 replication.c reads lines into 1024 bytes. */
const LINE_SIZE_MAX = 1024;
/** Stream that may arrive while a snapshot is swapped in. */
const HELD_BYTES_MAX = 64 * 1024 * 1024;

export class SyncAttempt {
  readonly #options: LinkOptions;
  #own: OwnPosition | undefined;
  #phase: AttemptPhase = 'handshake';
  readonly #expected: HandshakeStep[] = ['ping'];
  #line = '';
  #outcome: AttemptOutcome | undefined;
  #position: SnapshotPosition = { replid: undefined, offset: 0 };
  #payload: PayloadReader | undefined;
  readonly #held: Buffer[] = [];
  #heldBytes = 0;

  /** Begins: says PING. Without `own` position all data is asked for. */
  constructor(options: LinkOptions, own: OwnPosition | undefined, effects: LinkEffect[]) {
    this.#options = options;
    this.#own = own;
    effects.push(linkLog({ name: 'connectionReady' }));
    effects.push({ kind: 'send', bytes: encodeCommand('PING') });
  }

  /** Of the snapshot that was promised; undefined: none was, or its master keeps no history. */
  get replid(): Replid | undefined {
    return this.#position.replid;
  }

  get phase(): AttemptPhase {
    return this.#phase;
  }

  /** Whether a snapshot was begun and is not our data yet. */
  get hasSnapshot(): boolean {
    return this.#phase === 'transfer' || this.#phase === 'loading';
  }

  /** Set once it is decided; no more bytes are taken then. */
  get outcome(): AttemptOutcome | undefined {
    return this.#outcome;
  }

  get position(): SnapshotPosition {
    return this.#position;
  }

  get payload(): PayloadReader | undefined {
    return this.#phase === 'transfer' ? this.#payload : undefined;
  }

  /** Stream that came before the snapshot was loaded. */
  get held(): readonly Buffer[] {
    return this.#held;
  }

  /** Takes bytes of `buf[from, end)` until the outcome is known; answers how many. */
  receive(buf: Buffer, from: number, end: number, effects: LinkEffect[]): number {
    let at = from;
    while (at < end && !this.#outcome) {
      switch (this.#phase) {
        case 'handshake':
        case 'psync':
        case 'header':
          at += this.#receiveLine(buf, at, end, effects);
          break;
        case 'transfer':
          at += this.#receivePayload(buf, at, end, effects);
          break;
        case 'loading':
          this.#hold(buf, at, end, effects);
          at = end;
          break;
        default:
          assertNever(this.#phase);
      }
    }
    return at - from;
  }

  #fail(): void {
    this.#outcome = { kind: 'failed' };
  }

  #receivePayload(buf: Buffer, at: number, end: number, effects: LinkEffect[]): number {
    const payload = this.#payload;
    invariant(payload !== undefined, 'a transfer has a payload');
    const taken = payload.push(buf, at, end - at, (piece, pieceAt, size) => {
      effects.push({ kind: 'snapshotBytes', buf: piece, at: pieceAt, size });
    });
    if (payload.isDone) this.#endSnapshot(effects);
    return taken;
  }

  #endSnapshot(effects: LinkEffect[]): void {
    this.#phase = 'loading';
    effects.push({ kind: 'endSnapshot' });
  }

  #hold(buf: Buffer, at: number, end: number, effects: LinkEffect[]): void {
    this.#held.push(Buffer.from(buf.subarray(at, end)));
    this.#heldBytes += end - at;
    if (this.#heldBytes <= HELD_BYTES_MAX) return;
    effects.push(linkLog({ name: 'transferLost', reason: 'too much stream while loading' }));
    this.#fail();
  }

  #receiveLine(buf: Buffer, from: number, end: number, effects: LinkEffect[]): number {
    const newline = buf.subarray(from, end).indexOf(0x0a);
    const isWhole = newline >= 0;
    const lineEnd = isWhole ? from + newline : end;
    this.#line += buf.toString('latin1', from, Math.min(lineEnd, from + LINE_SIZE_MAX + 1));
    if (this.#line.length > LINE_SIZE_MAX) {
      effects.push(linkLog({ name: 'answerMalformed', reply: this.#line }));
      this.#fail();
    } else if (isWhole) {
      const line = this.#line.endsWith('\r') ? this.#line.slice(0, -1) : this.#line;
      this.#line = '';
      this.#answered(line, effects);
    }
    return (isWhole ? lineEnd + 1 : end) - from;
  }

  #answered(line: string, effects: LinkEffect[]): void {
    if (this.#phase === 'handshake') return this.#handshakeAnswered(line, effects);
    // An empty line only says that the master is still there.
    if (line === '') return;
    if (this.#phase === 'psync') this.#psyncAnswered(line, effects);
    else this.#headerCame(line, effects);
  }

  #handshakeAnswered(line: string, effects: LinkEffect[]): void {
    const step = this.#expected.shift();
    invariant(step !== undefined, 'a handshake in progress expects an answer');
    const judged = judgeHandshake(step, line);
    if (judged.event) effects.push(linkLog(judged.event));
    if (!judged.mayGoOn) {
      this.#fail();
    } else if (step === 'ping') {
      const { steps, bytes } = handshakeCommands(this.#options);
      this.#expected.push(...steps);
      effects.push({ kind: 'send', bytes });
    } else if (this.#expected.length === 0) {
      this.#askForData(effects);
    }
  }

  #askForData(effects: LinkEffect[]): void {
    this.#phase = 'psync';
    const own = this.#own;
    if (own) {
      const { replid, offset, isHandover } = own;
      effects.push(linkLog({ name: 'partialResyncTried', replid, offset }));
      const wish = isHandover ? ['FAILOVER'] : [];
      effects.push({
        kind: 'send',
        bytes: encodeCommand('PSYNC', replid, String(offset), ...wish),
      });
    } else {
      effects.push(linkLog({ name: 'noCachedMaster' }));
      effects.push({ kind: 'send', bytes: encodeCommand('PSYNC', '?', '-1') });
    }
  }

  #psyncAnswered(line: string, effects: LinkEffect[]): void {
    const answer = parsePsyncAnswer(line);
    if (this.#own?.isHandover === true) {
      const isAccepted = ['full', 'continue', 'alreadyMaster'].includes(answer.kind);
      effects.push({ kind: 'handoverAnswered', isAccepted });
      if (!isAccepted) return this.#fail();
    }
    switch (answer.kind) {
      case 'alreadyMaster':
        return this.#followAsItIs(effects);
      case 'full': {
        const { replid, offset } = answer;
        effects.push(linkLog({ name: 'fullResyncAnswered', replid, offset }));
        this.#position = { replid, offset };
        this.#phase = 'header';
        return;
      }
      case 'continue':
        if (this.#own) {
          this.#outcome = { kind: 'continue', replid: answer.replid };
          return;
        }
        // It would continue what we never had.
        effects.push(linkLog({ name: 'answerMalformed', reply: line }));
        return this.#fail();
      case 'notReady':
        effects.push(linkLog({ name: 'masterNotReady', reply: line }));
        return this.#fail();
      case 'unsupported':
        effects.push(linkLog({ name: 'psyncUnsupported', reply: line }));
        effects.push({ kind: 'send', bytes: Buffer.from('SYNC\r\n') });
        this.#phase = 'header';
        return;
      case 'malformed':
        effects.push(linkLog({ name: 'answerMalformed', reply: line }));
        return this.#fail();
      default:
        return assertNever(answer);
    }
  }

  /**
   * Divergence: Redis takes this for a refusal. But the other end followed us, and had everything when it was asked: it
   * took over, and its answer was lost with the connection. As a second master we would lose what we then took.
   */
  #followAsItIs(effects: LinkEffect[]): void {
    if (this.#own?.isHandover !== true) return this.#fail();
    this.#own = { ...this.#own, isHandover: false };
    this.#askForData(effects);
  }

  #headerCame(line: string, effects: LinkEffect[]): void {
    const payload = payloadReader(line);
    if (!payload) {
      const name = line.startsWith('-') ? 'masterAborted' : 'payloadMalformed';
      effects.push(linkLog({ name, reply: line }));
      return this.#fail();
    }
    const { sizeBytes } = payload;
    const isStreamed = sizeBytes === undefined;
    effects.push(
      linkLog(isStreamed ? { name: 'receivingStreamed' } : { name: 'receivingSized', sizeBytes }),
    );
    effects.push({ kind: 'beginSnapshot', sizeBytes });
    this.#payload = payload;
    this.#phase = 'transfer';
    if (payload.isDone) this.#endSnapshot(effects);
  }
}
