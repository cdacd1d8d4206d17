/**
 * The files of the append-only log and their manifest: what is there at the start, which file comes next, and which go
 * when a rewrite is done. A manifest on disk only ever names files that are there.
 */
import {
  type AofFile,
  type AofManifest,
  EMPTY_MANIFEST,
  baseName,
  incrementalName,
  manifestText,
  parseManifest,
} from '../aof/index.ts';
import type { LogLevel } from '../commands/index.ts';
import type { Settings } from '../config/index.ts';
import type { Files, GrowingFile } from './ports.ts';

export interface AofFilesHost {
  readonly settings: Settings;
  readonly ports: { readonly files: Files };
  log(level: LogLevel, text: string): void;
}

/** Where the incremental file of a first rewrite grows until its base is there. Source: 7.0 aof.c. */
const TEMP_PREFIX = 'temp-';

export class AofFiles {
  manifest: AofManifest = EMPTY_MANIFEST;
  readonly #host: AofFilesHost;

  constructor(host: AofFilesHost) {
    this.#host = host;
  }

  /** Path of a file of the log, relative to the working directory. */
  path(name: string): string {
    return `${this.#host.settings.appenddirname}/${name}`;
  }

  /** Size of all files that make up the data. */
  get bytes(): number {
    const { base, incremental } = this.manifest;
    const sizeOf = (file: AofFile): number =>
      this.#host.ports.files.sizeOf(this.path(file.name)) ?? 0;
    return [...(base === undefined ? [] : [base]), ...incremental].reduce(
      (sum, file) => sum + sizeOf(file),
      0,
    );
  }

  /** Reads the manifest, or takes an old single file over; why that is not possible. */
  read(): string | undefined {
    const text = this.#host.ports.files.read(this.path(this.#manifestName));
    if (text === undefined) return this.#upgrade();
    if (typeof text !== 'string') return `Can't read the manifest: ${text.failure}`;
    const parsed = parseManifest(text);
    if (!parsed.ok) {
      const { line, text: shown, reason } = parsed;
      return line === 0
        ? `FATAL AOF MANIFEST FILE ERROR: ${reason}`
        : `FATAL AOF MANIFEST FILE ERROR: Reading the manifest file, at line ${line} >>> '${shown}': ${reason}`;
    }
    this.manifest = parsed.manifest;
    const moved = this.#finishUpgrade();
    if (moved !== undefined) return moved;
    for (const file of [parsed.manifest.base, ...parsed.manifest.incremental]) {
      if (file === undefined) continue;
      if (this.#host.ports.files.sizeOf(this.path(file.name)) !== undefined) continue;
      return `Unable to obtain the AOF file ${file.name} length. stat: No such file or directory`;
    }
    return undefined;
  }

  /** A base that was written aside becomes the first file of the log; what was before it goes. */
  adoptBase(
    from: string,
    isRdb: boolean,
    keptIncremental: AofFile | undefined,
  ): string | undefined {
    const { base, incremental } = this.manifest;
    const seq = (base?.seq ?? 0) + 1;
    const name = baseName(this.#host.settings.appendfilename, seq, isRdb);
    const failure = this.#host.ports.files.rename(from, this.path(name));
    if (failure !== undefined) return failure;
    const old = [...(base === undefined ? [] : [base]), ...incremental].filter(
      (file) => file.name !== keptIncremental?.name,
    );
    this.#host.log(
      'notice',
      `Successfully renamed the temporary AOF base file ${from} into ${name}`,
    );
    const history = [...this.manifest.history, ...old].map(({ name: oldName, seq: oldSeq }) => {
      return { name: oldName, seq: oldSeq, kind: 'history' as const };
    });
    return (
      this.#save({
        base: { name, seq, kind: 'base' },
        history,
        incremental: keptIncremental === undefined ? [] : [keptIncremental],
      }) ?? this.removeHistory()
    );
  }

  /** What the first base is to be called. */
  firstBase(isRdb: boolean): AofFile {
    return { name: baseName(this.#host.settings.appendfilename, 1, isRdb), seq: 1, kind: 'base' };
  }

  /** A log that has no base yet gets one, which is in its place. */
  addBase(base: AofFile): string | undefined {
    return this.#save({ ...this.manifest, base });
  }

  /** Deletes the files that were replaced. */
  removeHistory(): string | undefined {
    const { settings, ports } = this.#host;
    if (settings['aof-disable-auto-gc'] || this.manifest.history.length === 0) return undefined;
    for (const { name } of this.manifest.history) {
      this.#host.log('notice', `Removing the history file ${name} in the background`);
      const failure = ports.files.remove(this.path(name));
      if (failure !== undefined) return failure;
    }
    return this.#save({ ...this.manifest, history: [] });
  }

  /** The incremental file to go on with after a start: the last one, or a first. */
  continueIncremental(): GrowingFile | string {
    const last = this.manifest.incremental.at(-1);
    if (last !== undefined) return this.#host.ports.files.grow(this.path(last.name), 'end');
    return this.nextIncremental('server start');
  }

  /** Begins the next incremental file and says so in the manifest. */
  nextIncremental(occasion: string): GrowingFile | string {
    const next = this.#next();
    const made = this.#create(this.path(next.name), next.name, occasion);
    if (typeof made === 'string') return made;
    const incremental = [...this.manifest.incremental, next];
    const failure = this.#save({ ...this.manifest, incremental });
    if (failure === undefined) return made;
    made.close();
    return failure;
  }

  /** Begins an incremental file that belongs to nothing until `settleTemporary`. */
  temporaryIncremental(): GrowingFile | string {
    const name = this.#temporaryName;
    return this.#create(this.path(name), name, 'background rewrite');
  }

  /** Gives the temporary incremental file its name, before `adoptBase` puts it into the manifest. */
  settleTemporary(): AofFile | string {
    const file = this.#next();
    const from = this.#temporaryName;
    const failure = this.#host.ports.files.rename(this.path(from), this.path(file.name));
    if (failure !== undefined) return failure;
    this.#host.log(
      'notice',
      `Successfully renamed the temporary AOF incr file ${from} into ${file.name}`,
    );
    return file;
  }

  makeDirectory(): string | undefined {
    return this.#host.ports.files.makeDirectory(this.#host.settings.appenddirname);
  }

  get #manifestName(): string {
    return `${this.#host.settings.appendfilename}.manifest`;
  }

  get #temporaryName(): string {
    return `${TEMP_PREFIX}${this.#host.settings.appendfilename}.incr`;
  }

  #next(): AofFile {
    const { base, incremental } = this.manifest;
    // A base without incremental files (an old single file) is followed by a first one of its own number.
    const seq = (incremental.at(-1)?.seq ?? (base?.seq ?? 1) - 1) + 1;
    const name = incrementalName(this.#host.settings.appendfilename, seq);
    return { name, seq, kind: 'incremental' };
  }

  #create(path: string, name: string, occasion: string): GrowingFile | string {
    this.#host.log('notice', `Creating AOF incr file ${name} on ${occasion}`);
    const failure = this.makeDirectory();
    return failure ?? this.#host.ports.files.grow(path, 'empty');
  }

  #save(manifest: AofManifest): string | undefined {
    const { files } = this.#host.ports;
    const failure = files.replace(this.path(this.#manifestName), manifestText(manifest));
    if (failure === undefined) this.manifest = manifest;
    return failure;
  }

  /** Servers before 7.0 had one file, in the working directory: it becomes the base. */
  #upgrade(): string | undefined {
    const { settings, ports } = this.#host;
    const name = settings.appendfilename;
    if (ports.files.sizeOf(name) === undefined) return undefined;
    const problem = this.makeDirectory();
    if (problem !== undefined) return problem;
    const base: AofFile = { name, seq: 1, kind: 'base' };
    // The manifest goes first: what a crash in between leaves undone, the next start does.
    return this.#save({ base, history: [], incremental: [] }) ?? this.#finishUpgrade();
  }

  /** Moves an old single file that the manifest names already to the others. */
  #finishUpgrade(): string | undefined {
    const { settings, ports } = this.#host;
    const name = settings.appendfilename;
    if (this.manifest.base?.name !== name) return undefined;
    if (ports.files.sizeOf(this.path(name)) !== undefined) return undefined;
    if (ports.files.sizeOf(name) === undefined) return undefined;
    const failure = ports.files.rename(name, this.path(name));
    if (failure !== undefined) return failure;
    const where = `into the AOF directory (${settings.appenddirname})`;
    this.#host.log('notice', `Successfully migrated an old-style AOF file (${name}) ${where}.`);
    return undefined;
  }
}
