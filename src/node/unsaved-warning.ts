/**
 * A replica that cannot write to its disk goes on with its master's stream, whatever `replica-ignore-disk-write-errors`
 * says, and its log tells. Text and pace as of 7.0.15 with that directive on; with `no` it would end there.
 */
import { type MonoMs, addMs } from '../base/index.ts';
import type { LogLevel } from '../commands/index.ts';

const PERIOD_MS = 10_000;

interface WarningHost {
  readonly now: MonoMs;
  diskFailure(): string | undefined;
  log(level: LogLevel, text: string): void;
}

export class UnsavedWarning {
  readonly #host: WarningHost;
  #notBefore: MonoMs | undefined;

  constructor(host: WarningHost) {
    this.#host = host;
  }

  /** A command of the master that writes is about to run. */
  beforeWrite(): void {
    const host = this.#host;
    if (host.diskFailure() === undefined) return;
    if (this.#notBefore !== undefined && host.now < this.#notBefore) return;
    this.#notBefore = addMs(host.now, PERIOD_MS);
    const text = 'Replica is applying a command even though it is unable to write to disk.';
    host.log('warning', text);
  }
}
