/**
 * A disk with the semantics of a crash. A file replaced with a sync survives everything. One replaced without survives
 * the end of its process, but a loss of power leaves the old text, the new text, or (seldom) a torn one.
 */
import { type Rng, invariant } from '../src/base/index.ts';
import type { Files } from '../src/node/index.ts';

/** `kill`: the process ends, the system goes on. `powerLoss`: what was not synced is in doubt. */
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

export class SimFiles implements Files {
  readonly #files = new Map<string, FileState>();
  readonly #rng: Rng;
  /** Called around each replacement: the moments at which a crash hurts most. */
  readonly #onReplace: (moment: 'before' | 'after', isSynced: boolean) => void;
  /** Replacements fail with this reason while it is set: a full disk. */
  failure: string | undefined;

  constructor(rng: Rng, onReplace: (moment: 'before' | 'after', isSynced: boolean) => void) {
    this.#rng = rng;
    this.#onReplace = onReplace;
  }

  read(name: string): string | undefined {
    return this.#files.get(name)?.text;
  }

  replace(name: string, text: string, isSynced: boolean): string | undefined {
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

  crash(kind: CrashKind): void {
    if (kind === 'kill') return;
    for (const [name, file] of this.#files) {
      if (file.text === file.synced) continue;
      const survivor = this.#survivor(file);
      if (survivor === undefined) this.#files.delete(name);
      else this.#files.set(name, { ...file, text: survivor, synced: survivor });
    }
  }

  #survivor({ text, synced }: FileState): string | undefined {
    if (this.#rng.below(TORN_ONE_IN) === 0) return text.slice(0, 1 + this.#rng.below(text.length));
    return this.#rng.below(2) === 0 ? text : synced;
  }
}
