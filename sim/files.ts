/**
 * A disk with the semantics of a crash. What was promised or replaced survives everything. What was to be saved soon may
 * be there or not when its process ends; a loss of power can also (seldom) leave it torn.
 */
import { type Rng, invariant } from '../src/base/index.ts';
import {
  type FileDraft,
  type FileDraftEvents,
  type FileReader,
  type Files,
  MemoryFiles,
  type SaveManner,
} from '../src/node/index.ts';

/** `kill`: the process ends, the system goes on. `powerLoss`: the system ends with it. */
export type CrashKind = 'kill' | 'powerLoss';

interface FileState {
  /** What processes read. */
  text: string;
  /** What survives a loss of power for certain. */
  synced: string | undefined;
  /** The last text that was synced, kept aside; a crash does not touch it. */
  backup: string | undefined;
}

/** One torn file in so many unsynced ones. */
const TORN_ONE_IN = 20;

export class SimFiles {
  readonly #files = new Map<string, FileState>();
  readonly #rng: Rng;
  /** Append-only files; `later` is that of the process that runs now. */
  readonly #growing = {
    later: (_run: () => void): void => undefined,
    files: new MemoryFiles((run) => this.#growing.later(run)),
  };
  /** Called around each replacement: the moments at which a crash hurts most. */
  readonly #onReplace: (moment: 'before' | 'after', isSynced: boolean) => void;
  /** Replacements fail with this reason while it is set: a full disk. */
  failure: string | undefined;
  /** Files are said to be on disk when they are not: a fault that must be found. */
  isForgetful = false;

  constructor(rng: Rng, onReplace: (moment: 'before' | 'after', isSynced: boolean) => void) {
    this.#rng = rng;
    this.#onReplace = onReplace;
  }

  /** The directory as one process sees it; `later` runs something after a while, unless the process ended. */
  forProcess(later: (run: () => void) => void): Files {
    const growing = this.#growing;
    growing.later = later;
    return {
      read: (name) => this.read(name) ?? growing.files.read(name),
      replace: (name, text) => this.replace(name, text),
      readState: (name) => this.read(name),
      saveState: (name, text, manner) => this.saveState(name, text, manner),
      open: (name) => this.#open(name) ?? growing.files.open(name),
      draft: ({ isWaiting }, events) => this.#draft(isWaiting ? (run) => run() : later, events),
      grow: (name, from) => growing.files.grow(name, from),
      sizeOf: (name) => this.read(name)?.length ?? growing.files.sizeOf(name),
      rename: (from, to) => this.#rename(from, to),
      remove: (name) => {
        this.#files.delete(name);
        return growing.files.remove(name);
      },
      truncate: (name, size) => growing.files.truncate(name, size),
      directory: (name) => name,
      makeDirectory: () => undefined,
    };
  }

  read(name: string): string | undefined {
    return this.#files.get(name)?.text;
  }

  replace(name: string, text: string): string | undefined {
    return this.saveState(name, text, 'whole');
  }

  saveState(name: string, text: string, manner: SaveManner): string | undefined {
    const isSynced = manner !== 'soon' && !this.isForgetful;
    if (this.failure !== undefined) return this.failure;
    this.#onReplace('before', isSynced);
    const before = this.#files.get(name);
    this.#files.set(name, {
      text,
      synced: isSynced ? text : before?.synced,
      backup: isSynced ? text : before?.backup,
    });
    this.#onReplace('after', isSynced);
    return undefined;
  }

  /** Puts a file there as an operator would, synced. */
  put(name: string, text: string): void {
    this.#files.set(name, { text, synced: text, backup: text });
  }

  /** What an operator's backup holds: the last synced text. */
  restoreSynced(name: string): void {
    const file = this.#files.get(name);
    invariant(file?.backup !== undefined, 'a restored file was synced once');
    this.put(name, file.backup);
  }

  #open(name: string): FileReader | undefined {
    const text = this.read(name);
    if (text === undefined) return undefined;
    const bytes = Buffer.from(text, 'latin1');
    let at = 0;
    const read = (buf: Buffer): number => {
      const size = bytes.copy(buf, 0, at);
      at += size;
      return size;
    };
    return { size: bytes.length, read, close: () => undefined };
  }

  /** A file written aside is nothing to a crash: only its renaming counts. */
  #draft(soon: (run: () => void) => void, events: FileDraftEvents): FileDraft {
    const parts: Buffer[] = [];
    let isAbandoned = false;
    return {
      pendingBytes: 0,
      write: (buf) => void parts.push(Buffer.from(buf)),
      commit: (name) =>
        soon(() => {
          if (isAbandoned) return;
          const text = Buffer.concat(parts).toString('latin1');
          events.ended(this.replace(name, text));
        }),
      abandon: () => {
        isAbandoned = true;
      },
    };
  }

  crash(kind: CrashKind): void {
    if (kind === 'powerLoss') {
      this.#growing.files.losePower((bytes) =>
        this.#rng.below(2) === 0 ? 0 : this.#rng.below(bytes + 1),
      );
    }
    for (const [name, file] of this.#files) {
      if (file.text === file.synced) continue;
      const survivor = this.#survivor(file, kind === 'powerLoss');
      if (survivor === undefined) this.#files.delete(name);
      else this.#files.set(name, { ...file, text: survivor, synced: survivor });
    }
  }

  #rename(from: string, to: string): string | undefined {
    const file = this.#files.get(from);
    if (file === undefined) return this.#growing.files.rename(from, to);
    this.#files.delete(from);
    this.#files.set(to, file);
    return undefined;
  }

  /**
   * Damage that a reader can notice, before the last line. Cut behind a line the file is a valid shorter one, here as for
   * the real server; the state files on a real disk are replaced whole, so that none is ever cut.
   */
  #torn(text: string): string {
    const lastLine = text.lastIndexOf('\n', text.length - 2) + 1;
    const torn = text.slice(0, 1 + this.#rng.below(Math.max(lastLine, 1)));
    return torn.endsWith('\n') ? torn.slice(0, -1) : torn;
  }

  #survivor({ text, synced }: FileState, mayTear: boolean): string | undefined {
    if (mayTear && this.#rng.below(TORN_ONE_IN) === 0) return this.#torn(text);
    return this.#rng.below(2) === 0 ? text : synced;
  }
}
