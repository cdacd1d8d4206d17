/**
 * A file that holds the promises of a node, nodes.conf. It is always one whole text, so that a person or another server
 * finds what they expect; promises that somebody waits for go to the journal beside it first, and into the file from
 * there a moment later, without anybody waiting.
 */
import { renameSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { SaveManner } from '../node/index.ts';
import { StateJournal, textDigest } from './state-journal.ts';
import { systemWords } from './system-words.ts';
import { readWhole, replaceWhole, syncPath } from './whole-file.ts';

/** How long the file may be behind. Long enough to stay out of a failover, whose nodes may share a disk. */
const REWRITE_DELAY_MS = 100;

export class StateFile {
  readonly #path: string;
  readonly #rewriteDelayMs: number;
  #journal: StateJournal | undefined;
  /** Digests of the texts that the file may have after a power cut; none: not known. */
  #bases: readonly string[] = [];
  /** What the file does not have yet. */
  #wanted: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isRewriting = false;
  /** A rewriting of another life knows by it that it has been overtaken. */
  #life = 0;
  #failure: string | undefined;

  constructor(path: string, rewriteDelayMs: number = REWRITE_DELAY_MS) {
    this.#path = path;
    this.#rewriteDelayMs = rewriteDelayMs;
  }

  /** The last text saved; undefined without a file, whatever the journal holds. */
  read(): string | undefined {
    if (this.#wanted !== undefined) return this.#wanted;
    const text = readWhole(this.#path);
    if (text === undefined) return undefined;
    const record = this.#openJournal().latest();
    // What a process before us left behind may not be on disk yet.
    syncPath(this.#path);
    syncPath(dirname(this.#path));
    this.#bases = [textDigest(text)];
    if (record === undefined || record.text === null) return text;
    if (!record.bases.includes(this.#bases[0]!)) return text;
    this.#wanted = record.text;
    this.#rewriteLater();
    return record.text;
  }

  /** Says why it failed. */
  save(text: string, manner: SaveManner): string | undefined {
    if (this.#failure !== undefined) return this.#failure;
    try {
      if (manner === 'whole' || (manner === 'promise' && !this.#promise(text))) {
        this.#saveWhole(text);
      } else {
        this.#wanted = text;
        this.#rewriteLater();
      }
      return undefined;
    } catch (error) {
      return systemWords(error);
    }
  }

  /** Lets go of the file as the end of the process would: what is not in it is in the journal, if it was promised. */
  close(): void {
    this.#life++;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#journal?.close();
    this.#journal = undefined;
    this.#bases = [];
    this.#wanted = undefined;
  }

  #openJournal(): StateJournal {
    return (this.#journal ??= new StateJournal(`${this.#path}.journal`));
  }

  #promise(text: string): boolean {
    return this.#bases.length > 0 && this.#openJournal().append(text, this.#bases);
  }

  #saveWhole(text: string): void {
    this.#life++;
    this.#isRewriting = false;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#wanted = undefined;
    const journal = this.#openJournal();
    this.#bases = [];
    replaceWhole(this.#path, text);
    journal.makeRoomFor(text);
    journal.retire();
    journal.sync();
    this.#bases = [textDigest(text)];
  }

  #rewriteLater(): void {
    if (this.#isRewriting) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#rewrite();
    }, this.#rewriteDelayMs);
  }

  /** Brings the file up to date beside other work. */
  async #rewrite(): Promise<void> {
    const text = this.#wanted;
    if (text === undefined) return;
    const life = this.#life;
    const isCurrent = (): boolean => life === this.#life;
    this.#isRewriting = true;
    // From here on, what is promised is newer than `text`: it counts beside the old file and beside the new one.
    if (this.#bases.length > 0) this.#bases = [...this.#bases, textDigest(text)];
    try {
      await this.#replaceBesides(text, isCurrent);
      if (isCurrent()) {
        this.#bases = [textDigest(text)];
        if (this.#wanted === text) this.#settle();
      }
    } catch (error) {
      // What was promised is in the journal; the next save tells, and the node ends.
      if (isCurrent()) this.#failure = systemWords(error);
    }
    if (!isCurrent()) return;
    this.#isRewriting = false;
    if (this.#wanted !== undefined && this.#failure === undefined) this.#rewriteLater();
  }

  async #replaceBesides(text: string, isCurrent: () => boolean): Promise<void> {
    const aside = `${this.#path}.next`;
    await withFile(aside, 'w', async (file) => {
      await file.write(text, null, 'latin1');
      await file.sync();
    });
    if (!isCurrent()) return;
    renameSync(aside, this.#path);
    await withFile(dirname(this.#path), 'r', (directory) => directory.sync());
  }

  /** The file has it all. Were it ever to get an older text again, the journal's must not count beside it. */
  #settle(): void {
    this.#wanted = undefined;
    this.#openJournal().retire();
  }
}

async function withFile(
  path: string,
  flags: 'r' | 'w',
  act: (file: FileHandle) => Promise<void>,
): Promise<void> {
  const file = await open(path, flags, 0o644);
  try {
    await act(file);
  } finally {
    await file.close();
  }
}
