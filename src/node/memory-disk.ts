/**
 * A disk in memory, for nodes that have none: tests, the library, the simulator. Like a real one it forgets in a power
 * cut what was not synced.
 */
import type { Disk, InputFile, OutputFile } from './ports.ts';

interface StoredFile {
  bytes: Buffer;
  size: number;
  /** Bytes that survive a power cut. */
  syncedSize: number;
}

const FIRST_BYTES = 4096;

export class MemoryDisk implements Disk {
  /** Writes fail with this reason while it is set: a full disk. */
  failure: string | undefined;
  readonly #files: Map<string, StoredFile> = new Map<string, StoredFile>();
  readonly #later: (run: () => void) => void;

  /** `later`: runs something after the current turn. */
  constructor(later: (run: () => void) => void) {
    this.#later = later;
  }

  openOutput(
    name: string,
    mode: 'create' | 'append',
  ): { readonly file: OutputFile } | { readonly failure: string } {
    if (this.failure !== undefined) return { failure: this.failure };
    let stored = this.#files.get(name);
    if (stored === undefined || mode === 'create') {
      stored = { bytes: Buffer.alloc(0), size: 0, syncedSize: 0 };
      this.#files.set(name, stored);
    }
    return { file: this.#output(stored) };
  }

  openInput(name: string): { readonly file: InputFile } | undefined {
    const stored = this.#files.get(name);
    if (stored === undefined) return undefined;
    let position = 0;
    const { size } = stored;
    const read = (buf: Buffer, at: number, wanted: number): number => {
      const taken = Math.min(wanted, stored.size - position);
      stored.bytes.copy(buf, at, position, position + taken);
      position += taken;
      return taken;
    };
    return { file: { size, read, close: () => undefined } };
  }

  sizeOf(name: string): number | undefined {
    return this.#files.get(name)?.size;
  }

  rename(from: string, to: string): string | undefined {
    const stored = this.#files.get(from);
    if (stored === undefined) return 'No such file or directory';
    this.#files.delete(from);
    this.#files.set(to, stored);
    return undefined;
  }

  remove(name: string): undefined {
    this.#files.delete(name);
  }

  truncate(name: string, size: number): string | undefined {
    const stored = this.#files.get(name);
    if (stored === undefined) return 'No such file or directory';
    stored.size = Math.min(stored.size, size);
    stored.syncedSize = Math.min(stored.syncedSize, size);
    return undefined;
  }

  makeDirectory(): undefined {}

  /** The power goes: files are as they were last synced. */
  losePower(): void {
    for (const stored of this.#files.values()) stored.size = stored.syncedSize;
  }

  #output(stored: StoredFile): OutputFile {
    const write = (buf: Buffer, at: number, size: number): string | undefined => {
      if (this.failure !== undefined) return this.failure;
      const end = stored.size + size;
      if (end > stored.bytes.length) {
        const grown = Buffer.alloc(Math.max(FIRST_BYTES, end, stored.bytes.length * 2));
        stored.bytes.copy(grown, 0, 0, stored.size);
        stored.bytes = grown;
      }
      buf.copy(stored.bytes, stored.size, at, at + size);
      stored.size = end;
      return undefined;
    };
    const sync = (): string | undefined => {
      if (this.failure === undefined) stored.syncedSize = stored.size;
      return this.failure;
    };
    return {
      get size() {
        return stored.size;
      },
      write,
      sync,
      syncSoon: (done) => this.#later(() => done(sync())),
      close: () => undefined,
    };
  }
}
