/** Large files written aside: by the system's threads while the node goes on, or at once. */
import {
  close,
  closeSync,
  fdatasync,
  fdatasyncSync,
  fsync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  write,
  writeSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { systemWords } from './system-words.ts';
import { syncPath } from './whole-file.ts';
import type { FileDraft, FileDraftEvents, FileDraftOptions } from '../node/index.ts';

/** `directory`: where relative names are. */
export function openDraft(
  directory: string,
  options: FileDraftOptions,
  events: FileDraftEvents,
): FileDraft {
  return options.isWaiting
    ? new WaitingDraft(directory, options, events)
    : new BackgroundDraft(directory, options, events);
}

/** Does everything before its calls return. */
class WaitingDraft implements FileDraft {
  readonly pendingBytes = 0;
  readonly #directory: string;
  readonly #path: string;
  readonly #syncEveryBytes: number;
  readonly #events: FileDraftEvents;
  #file = -1;
  #unsyncedBytes = 0;
  #isOver = false;

  constructor(directory: string, options: FileDraftOptions, events: FileDraftEvents) {
    this.#directory = directory;
    this.#path = resolve(directory, options.name);
    this.#syncEveryBytes = options.syncEveryBytes;
    this.#events = events;
  }

  write(buf: Buffer): void {
    this.#do(() => {
      for (let at = 0; at < buf.length;) at += writeSync(this.#file, buf, at);
      this.#unsyncedBytes += buf.length;
      if (this.#syncEveryBytes === 0 || this.#unsyncedBytes < this.#syncEveryBytes) return;
      fdatasyncSync(this.#file);
      this.#unsyncedBytes = 0;
    });
  }

  commit(name: string): void {
    const isDone = this.#do(() => {
      fsyncSync(this.#file);
      renameSync(this.#path, resolve(this.#directory, name));
      syncPath(dirname(resolve(this.#directory, name)));
      this.#close();
    });
    if (!isDone) return;
    this.#isOver = true;
    this.#events.ended(undefined);
  }

  abandon(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#close();
    rmSync(this.#path, { force: true });
  }

  /** Opens the file if it is not and acts; false when that failed now or before. */
  #do(act: () => void): boolean {
    if (this.#isOver) return false;
    try {
      if (this.#file < 0) this.#file = openSync(this.#path, 'w', 0o644);
      act();
      return true;
    } catch (error) {
      this.abandon();
      this.#events.ended(systemWords(error));
      return false;
    }
  }

  #close(): void {
    if (this.#file >= 0) closeSync(this.#file);
    this.#file = -1;
  }
}

/** Has one operation of the system under way at a time. */
class BackgroundDraft implements FileDraft {
  pendingBytes = 0;
  readonly #directory: string;
  readonly #path: string;
  readonly #syncEveryBytes: number;
  readonly #events: FileDraftEvents;
  readonly #queue: Buffer[] = [];
  #file = -1;
  #unsyncedBytes = 0;
  #isWorking = false;
  #target: string | undefined;
  #isAbandoned = false;
  #isOver = false;

  constructor(directory: string, options: FileDraftOptions, events: FileDraftEvents) {
    this.#directory = directory;
    this.#path = resolve(directory, options.name);
    this.#syncEveryBytes = options.syncEveryBytes;
    this.#events = events;
    try {
      this.#file = openSync(this.#path, 'w', 0o644);
    } catch (error) {
      const reason = systemWords(error);
      setImmediate(() => this.#end(reason));
    }
  }

  write(buf: Buffer): void {
    if (this.#isOver || this.#isAbandoned) return;
    this.#queue.push(buf);
    this.pendingBytes += buf.length;
    this.#work();
  }

  commit(name: string): void {
    this.#target = name;
    this.#work();
  }

  abandon(): void {
    this.#isAbandoned = true;
    if (!this.#isWorking) this.#end(undefined);
  }

  #work(): void {
    if (this.#isWorking || this.#isOver || this.#file < 0) return;
    if (this.#isAbandoned) return this.#end(undefined);
    const buf = this.#queue[0];
    if (buf !== undefined) return this.#write(buf);
    if (this.#target !== undefined) this.#sync(fsync, () => this.#rename(this.#target ?? ''));
  }

  #write(buf: Buffer): void {
    this.#isWorking = true;
    write(this.#file, buf, 0, buf.length, null, (error, written) => {
      if (!this.#goesOn(error)) return;
      this.pendingBytes -= written;
      this.#unsyncedBytes += written;
      if (written < buf.length) this.#queue[0] = buf.subarray(written);
      else this.#queue.shift();
      if (this.#syncEveryBytes > 0 && this.#unsyncedBytes >= this.#syncEveryBytes) {
        this.#unsyncedBytes = 0;
        return this.#sync(fdatasync, () => this.#next());
      }
      this.#next();
    });
  }

  #next(): void {
    if (this.#queue.length === 0) this.#events.drained();
    this.#work();
  }

  #sync(sync: typeof fsync | typeof fdatasync, then: () => void): void {
    this.#isWorking = true;
    sync(this.#file, (error) => {
      if (this.#goesOn(error)) then();
    });
  }

  #rename(name: string): void {
    this.#isWorking = true;
    close(this.#file, (error) => {
      this.#file = -1;
      if (!this.#goesOn(error)) return;
      try {
        const path = resolve(this.#directory, name);
        renameSync(this.#path, path);
        syncPath(dirname(path));
        this.#end(undefined);
      } catch (failure) {
        this.#end(systemWords(failure));
      }
    });
  }

  /** An operation of the system is over; whether to go on. */
  #goesOn(error: Error | null): boolean {
    this.#isWorking = false;
    if (error !== null) this.#end(systemWords(error));
    else if (this.#isAbandoned) this.#end(undefined);
    return !this.#isOver;
  }

  #end(failure: string | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#queue.length = 0;
    this.pendingBytes = 0;
    if (failure !== undefined || this.#isAbandoned) {
      if (this.#file >= 0) closeSync(this.#file);
      rmSync(this.#path, { force: true });
    }
    if (!this.#isAbandoned) this.#events.ended(failure);
  }
}
