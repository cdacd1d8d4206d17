/** The slow log: the latest commands that ran longer than allowed, newest first. */
import type { UnixMs } from '../base/index.ts';
import type { Settings } from '../config/index.ts';
import type { Request } from '../resp/index.ts';
import { type Redacted, redactedArguments } from './redaction.ts';
import type { Session } from './session.ts';
import type { Command } from './table.ts';

/** Arguments of an entry, the one that counts the rest included. Source: 7.0 slowlog.h. */
export const SLOW_LOG_ARGUMENTS_MAX = 32;
/** Bytes of an argument before the note of how many more there were. Source: 7.0 slowlog.h. */
export const SLOW_LOG_ARGUMENT_BYTES_MAX = 128;

export interface SlowLogEntry {
  /** Counts up over the life of the node, SLOWLOG RESET included. */
  readonly id: number;
  /** When it ended, seconds since 1970. */
  readonly unixSeconds: number;
  readonly durationUs: number;
  readonly args: readonly Buffer[];
  readonly address: string;
  readonly clientName: string;
}

/** A command that has run. */
export interface SlowCall {
  readonly command: Command;
  readonly request: Request;
  readonly session: Session;
  readonly durationUs: number;
  readonly unixNow: UnixMs;
}

/** The entries and the rule for what becomes one. */
export class SlowLog {
  readonly #settings: Pick<Settings, 'slowlog-log-slower-than' | 'slowlog-max-len'>;
  readonly #entries: SlowLogEntry[] = [];
  #nextId = 0;

  /** `settings` are read at every call, so that CONFIG SET takes effect. */
  constructor(settings: Pick<Settings, 'slowlog-log-slower-than' | 'slowlog-max-len'>) {
    this.#settings = settings;
  }

  /** Whether a command of this duration is to be recorded. */
  wants(durationUs: number): boolean {
    const threshold = this.#settings['slowlog-log-slower-than'];
    return threshold >= 0 && durationUs >= threshold && this.#settings['slowlog-max-len'] >= 0;
  }

  record(call: SlowCall): void {
    const { command, request } = call;
    this.#add(call, shortened(request, redactedArguments(command, request)));
  }

  /** Records `count` calls of one command that were timed together and whose arguments are gone. */
  recordTogether(calls: Omit<SlowCall, 'request'> & { readonly count: number }): void {
    const { command, count } = calls;
    const remark = `... (${count} ${count === 1 ? 'call' : 'calls'} timed together)`;
    this.#add(calls, [Buffer.from(command.fullName), Buffer.from(remark)]);
  }

  get size(): number {
    return this.#entries.length;
  }

  /** The newest `count` entries. */
  latest(count: number): readonly SlowLogEntry[] {
    return this.#entries.slice(0, count);
  }

  reset(): void {
    this.#entries.length = 0;
  }

  #add(call: Omit<SlowCall, 'request'>, args: readonly Buffer[]): void {
    this.#entries.unshift({
      id: this.#nextId++,
      unixSeconds: Math.floor(call.unixNow / 1000),
      durationUs: call.durationUs,
      args,
      address: call.session.address,
      clientName: call.session.name,
    });
    this.#trim();
  }

  #trim(): void {
    const lengthMax = this.#settings['slowlog-max-len'];
    if (this.#entries.length > lengthMax) this.#entries.length = lengthMax;
  }
}

function shortened(request: Request, redacted: Redacted): Buffer[] {
  const { argc } = request;
  const isCut = argc > SLOW_LOG_ARGUMENTS_MAX;
  const shown = isCut ? SLOW_LOG_ARGUMENTS_MAX - 1 : argc;
  const args: Buffer[] = [];
  for (let i = 0; i < shown; i++) {
    if (redacted?.has(i)) {
      args.push(Buffer.from('(redacted)'));
      continue;
    }
    const more = request.size[i]! - SLOW_LOG_ARGUMENT_BYTES_MAX;
    if (more <= 0) args.push(request.copy(i));
    else {
      const head = request.bytes(i).subarray(0, SLOW_LOG_ARGUMENT_BYTES_MAX);
      args.push(Buffer.concat([head, Buffer.from(`... (${more} more bytes)`)]));
    }
  }
  if (isCut) args.push(Buffer.from(`... (${argc - shown} more arguments)`));
  return args;
}
