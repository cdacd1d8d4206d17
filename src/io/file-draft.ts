/** Large files written aside: by the system's threads while the node goes on, or at once. */
import {
  close,
  closeSync,
  fdatasync,
  fdatasyncSync,
  fsync,
  fsyncSync,
  open,
  openSync,
  renameSync,
  rmSync,
  write,
  writeSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { attempt, systemWords } from './system-words.ts';
import { syncPath, syncPathSoon } from './whole-file.ts';
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

/**
 * Bytes given in small pieces are written in larger ones, though not so large that the thread that writes them keeps a
 * processor from a client for long.
 */
const CHUNK_BYTES = 64 * 1024;

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
    if (this.#file >= 0) discard(this.#path);
    this.#close();
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

/**
 * Deletes what is not wanted. Where the system refuses (the directory was made unreadable meanwhile), it stays: why the
 * draft came to nothing is told already, and that a leftover could not be removed must not end the node.
 */
function discard(path: string): void {
  attempt(() => rmSync(path, { force: true }));
}

/** Closes a file that was there. */
function release(file: number | undefined): void {
  if (file !== undefined) close(file);
}

interface Chunk {
  buf: Buffer;
  size: number;
}

/** Has one operation of the system under way at a time, and collects meanwhile. */
class BackgroundDraft implements FileDraft {
  pendingBytes = 0;
  readonly #directory: string;
  readonly #path: string;
  readonly #syncEveryBytes: number;
  readonly #events: FileDraftEvents;
  /** What is still to be written; the first may be under way. */
  readonly #queue: Chunk[] = [];
  readonly #spare: Buffer[] = [];
  #file = -1;
  /** Whether the file was made; it may be closed again. */
  #hasFile = false;
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
      this.#hasFile = true;
    } catch (error) {
      const reason = systemWords(error);
      setImmediate(() => this.#end(reason));
    }
  }

  write(buf: Buffer): void {
    if (this.#isOver || this.#isAbandoned) return;
    this.pendingBytes += buf.length;
    const last = this.#queue.at(-1);
    const isLastUnderWay = this.#isWorking && this.#queue.length === 1;
    if (last !== undefined && !isLastUnderWay && last.size + buf.length <= last.buf.length) {
      buf.copy(last.buf, last.size);
      last.size += buf.length;
    } else {
      this.#queue.push(this.#chunkOf(buf));
    }
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

  #chunkOf(bytes: Buffer): Chunk {
    if (bytes.length > CHUNK_BYTES) return { buf: Buffer.from(bytes), size: bytes.length };
    const buf = this.#spare.pop() ?? Buffer.allocUnsafeSlow(CHUNK_BYTES);
    bytes.copy(buf);
    return { buf, size: bytes.length };
  }

  #work(): void {
    if (this.#isWorking || this.#isOver || this.#file < 0) return;
    if (this.#isAbandoned) return this.#end(undefined);
    const chunk = this.#queue[0];
    if (chunk !== undefined) return this.#write(chunk, 0);
    if (this.#target !== undefined) this.#sync(fsync, () => this.#rename(this.#target ?? ''));
  }

  #write(chunk: Chunk, from: number): void {
    this.#isWorking = true;
    write(this.#file, chunk.buf, from, chunk.size - from, null, (error, written) => {
      if (!this.#goesOn(error)) return;
      this.pendingBytes -= written;
      this.#unsyncedBytes += written;
      if (from + written < chunk.size) return this.#write(chunk, from + written);
      this.#queue.shift();
      if (chunk.buf.length === CHUNK_BYTES) this.#spare.push(chunk.buf);
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
    const path = resolve(this.#directory, name);
    this.#isWorking = true;
    close(this.#file, (error) => {
      this.#file = -1;
      if (!this.#goesOn(error)) return;
      this.#isWorking = true;
      // The old file is kept open over the renaming, for to free a large one takes the system long.
      open(path, 'r', (_, old) => {
        if (!this.#goesOn(null)) return release(old);
        try {
          renameSync(this.#path, path);
        } catch (failure) {
          release(old);
          return this.#end(systemWords(failure));
        }
        release(old);
        this.#isWorking = true;
        syncPathSoon(dirname(path), (failure) => {
          if (this.#goesOn(failure)) this.#end(undefined);
        });
      });
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
    this.#spare.length = 0;
    this.pendingBytes = 0;
    if (failure !== undefined || this.#isAbandoned) {
      if (this.#hasFile) discard(this.#path);
      if (this.#file >= 0) closeSync(this.#file);
    }
    if (!this.#isAbandoned) this.#events.ended(failure);
  }
}
