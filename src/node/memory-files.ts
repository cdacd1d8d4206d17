/**
 * A working directory in memory: it outlives the node that works in it, not the process. In a power cut it forgets what
 * growing files had not synced.
 */
import type {
  FileDraft,
  FileDraftEvents,
  FileDraftOptions,
  FileReader,
  Files,
  GrowingFile,
} from './ports.ts';

interface StoredFile {
  bytes: Buffer;
  size: number;
  /** Bytes that survive a power cut. */
  syncedSize: number;
}

const NO_SUCH_FILE = 'No such file or directory';

export class MemoryFiles implements Files {
  /** Writing large files fails with this reason while it is set: a full disk. */
  failure: string | undefined;
  readonly #files: Map<string, StoredFile> = new Map<string, StoredFile>();
  readonly #later: (run: () => void) => void;

  /** `later`: runs something soon, after the present call. */
  constructor(later: (run: () => void) => void) {
    this.#later = later;
  }

  read(name: string): string | undefined {
    const file = this.#files.get(name);
    return file?.bytes.toString('latin1', 0, file.size);
  }

  replace(name: string, text: string): string | undefined {
    this.#put(name, Buffer.from(text, 'latin1'));
    return undefined;
  }

  readState(name: string): string | undefined {
    return this.read(name);
  }

  saveState(name: string, text: string): string | undefined {
    return this.replace(name, text);
  }

  open(name: string): FileReader | undefined {
    const file = this.#files.get(name);
    if (file === undefined) return undefined;
    let at = 0;
    return {
      size: file.size,
      read: (buf) => {
        const size = file.bytes.copy(buf, 0, at, file.size);
        at += size;
        return size;
      },
      close: () => undefined,
    };
  }

  draft({ isWaiting }: FileDraftOptions, events: FileDraftEvents): FileDraft {
    const parts: Buffer[] = [];
    let isOver = false;
    const soon = (run: () => void): void => {
      if (isWaiting) run();
      else this.#later(() => void (isOver || run()));
    };
    const end = (failure: string | undefined): void => {
      isOver = true;
      events.ended(failure);
    };
    return {
      pendingBytes: 0,
      write: (buf) => {
        parts.push(Buffer.from(buf));
        if (!isWaiting) soon(() => events.drained());
      },
      commit: (name) =>
        soon(() => {
          if (this.failure !== undefined) return end(this.failure);
          this.#put(name, Buffer.concat(parts));
          end(undefined);
        }),
      abandon: () => {
        isOver = true;
      },
    };
  }

  grow(name: string, from: 'empty' | 'end'): GrowingFile | string {
    if (this.failure !== undefined) return this.failure;
    if (from === 'empty' || !this.#files.has(name)) this.#put(name, Buffer.alloc(0));
    const file = this.#files.get(name)!;
    const sync = (): string | undefined => {
      if (this.failure === undefined) file.syncedSize = file.size;
      return this.failure;
    };
    return {
      get size() {
        return file.size;
      },
      write: (buf, at, size) => this.#append(file, buf.subarray(at, at + size)),
      sync,
      syncSoon: (done) => this.#later(() => done(sync())),
      close: () => undefined,
    };
  }

  sizeOf(name: string): number | undefined {
    return this.#files.get(name)?.size;
  }

  rename(from: string, to: string): string | undefined {
    const file = this.#files.get(from);
    if (file === undefined) return NO_SUCH_FILE;
    this.#files.delete(from);
    this.#files.set(to, file);
    return undefined;
  }

  remove(name: string): undefined {
    this.#files.delete(name);
  }

  truncate(name: string, size: number): string | undefined {
    const file = this.#files.get(name);
    if (file === undefined) return NO_SUCH_FILE;
    file.size = Math.min(file.size, size);
    file.syncedSize = Math.min(file.syncedSize, size);
    return undefined;
  }

  /** There is only one. */
  directory(name: string): string {
    return name;
  }

  makeDirectory(): undefined {}

  /** The power goes: growing files are as they were last synced; `kept`: how many of so many later bytes they still have. */
  losePower(kept: (bytes: number) => number): void {
    for (const file of this.#files.values()) {
      const later = file.size - file.syncedSize;
      if (later > 0) file.size = file.syncedSize + kept(later);
      file.syncedSize = file.size;
    }
  }

  #put(name: string, bytes: Buffer): void {
    this.#files.set(name, { bytes, size: bytes.length, syncedSize: bytes.length });
  }

  #append(file: StoredFile, bytes: Buffer): string | undefined {
    if (this.failure !== undefined) return this.failure;
    const size = file.size + bytes.length;
    if (size > file.bytes.length) {
      const grown = Buffer.alloc(size * 2);
      file.bytes.copy(grown, 0, 0, file.size);
      file.bytes = grown;
    }
    bytes.copy(file.bytes, file.size);
    file.size = size;
    return undefined;
  }
}
