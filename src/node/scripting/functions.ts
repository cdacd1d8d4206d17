/** The functions of a node: the libraries that it has, how others come in, and their part of snapshots. */
import { NOT_INTEGER } from '../../base/index.ts';
import {
  type Command,
  type LogLevel,
  type RestorePolicy,
  type RunningFunction,
  type ScriptCaller,
  libraryMetadata,
} from '../../commands/index.ts';
import type { Rand48 } from '../../lua/index.ts';
import type { Bytes } from '../../rdb/index.ts';
import type { ReplyWriter, Request } from '../../resp/index.ts';
import type { FunctionDispatch } from '../dispatch-host.ts';
import { FunctionEngine, type FunctionEngineHost } from './function-engine.ts';
import type { ScriptRunner } from './script-runner.ts';
import { commandFlagsOf } from './script-flags.ts';
import { texts } from './scripts.ts';
import { type FoundFunction, FunctionLibraries, type Library } from './function-libraries.ts';

/** Source: 7.0, LOAD_TIMEOUT_MS. */
const LOAD_MS_MAX = 500;
/** For what another server took in in time. Redis sets no bound here: a file could keep it from ever starting. */
const TRUSTED_LOAD_MS_MAX = 30_000;
/** What a library and a function cost beside the code, by estimate. */
const LIBRARY_BYTES = 256;
const FUNCTION_BYTES = 128;

/** Where the keys of FCALL begin. */
const FIRST_KEY = 3;

export interface FunctionsHost {
  readonly clock: FunctionEngineHost['clock'];
  readonly scripts: { readonly runner: ScriptRunner; readonly dice: Rand48 };
  log(level: LogLevel, text: string): void;
}

interface LoadOptions {
  readonly replaces: boolean;
  readonly limitMs: number;
}

/** Libraries that belong together, and the engine of those that are new, which is made for the first one. */
class LibraryGroup {
  readonly libraries: FunctionLibraries;
  readonly #host: FunctionsHost;
  engine: FunctionEngine | undefined;

  constructor(host: FunctionsHost, libraries: FunctionLibraries, engine?: FunctionEngine) {
    this.#host = host;
    this.libraries = libraries;
    this.engine = engine;
  }

  /** Takes a library in; or why that cannot be, and all is as it was. */
  load(code: string, { replaces, limitMs }: LoadOptions): Library | { readonly flaw: string } {
    const metadata = libraryMetadata(code);
    if ('flaw' in metadata) return metadata;
    const { name, body } = metadata;
    if (!replaces && this.libraries.find(name) !== undefined) {
      return { flaw: `Library '${name}' already exists` };
    }
    const { clock, scripts } = this.#host;
    this.engine ??= new FunctionEngine({
      clock,
      runner: scripts.runner,
      dice: scripts.dice,
      log: (level, text) => this.#host.log(level, text),
    });
    const loaded = this.engine.load(body, limitMs);
    if ('flaw' in loaded) return loaded;
    const library: Library = { name, code, functions: loaded, lua: this.engine.lua };
    const flaw = this.libraries.add(library);
    return flaw === undefined ? library : { flaw };
  }
}

/** Takes the libraries of a snapshot in, one by one. */
export class LibraryIntake {
  readonly group: LibraryGroup;
  readonly #replaces: boolean;

  constructor(group: LibraryGroup, replaces: boolean) {
    this.group = group;
    this.#replaces = replaces;
  }

  /** Says why a library cannot be taken in. */
  take({ buf, at, size }: Bytes): string | undefined {
    const code = buf.toString('latin1', at, at + size);
    const options = { replaces: this.#replaces, limitMs: TRUSTED_LOAD_MS_MAX };
    const loaded = this.group.load(code, options);
    return 'flaw' in loaded ? `Failed creating functions library: ${loaded.flaw}` : undefined;
  }
}

export class FunctionsPart implements FunctionDispatch {
  readonly #host: FunctionsHost;
  #group: LibraryGroup;
  /** Arguments of the call that runs, if it takes long. */
  #command: readonly Buffer[] = [];

  constructor(host: FunctionsHost) {
    this.#host = host;
    this.#group = this.#emptyGroup();
  }

  get libraryCount(): number {
    return this.#group.libraries.count;
  }

  get functionCount(): number {
    return this.#group.libraries.functionCount;
  }

  get codeBytes(): number {
    let bytes = this.functionCount * FUNCTION_BYTES;
    for (const { code } of this.libraries()) bytes += LIBRARY_BYTES + code.length;
    return bytes;
  }

  /** Codes of all libraries, for a snapshot of this moment. */
  get codes(): readonly string[] {
    return [...this.libraries()].map(({ code }) => code);
  }

  libraries(): Iterable<Library> {
    return this.#group.libraries.all();
  }

  find(name: string): FoundFunction | undefined {
    return this.#group.libraries.findFunction(name);
  }

  load(
    code: string,
    options: { readonly replaces: boolean; readonly isTrusted: boolean },
  ): Library | { readonly flaw: string } {
    const { replaces, isTrusted } = options;
    return this.#group.load(code, { replaces, limitMs: limitOf(isTrusted) });
  }

  delete(name: string): boolean {
    return this.#group.libraries.delete(name);
  }

  flush(): void {
    this.#group = this.#emptyGroup();
  }

  restore(
    codes: readonly string[],
    options: { readonly policy: RestorePolicy; readonly isTrusted: boolean },
  ): string | undefined {
    const { policy, isTrusted } = options;
    const others = this.#emptyGroup();
    const { clock } = this.#host;
    const endUs = clock.monoUs() + limitOf(isTrusted) * 1000;
    for (const code of codes) {
      // All together get as long as one: clients wait meanwhile.
      const limitMs = Math.max(0, (endUs - clock.monoUs()) / 1000);
      const loaded = others.load(code, { replaces: false, limitMs });
      if ('flaw' in loaded) return loaded.flaw;
    }
    const libraries = this.#group.libraries.joined(others.libraries, policy);
    if (typeof libraries === 'string') return libraries;
    const engine = others.engine ?? this.#group.engine;
    this.#group = new LibraryGroup(this.#host, libraries, engine);
    return undefined;
  }

  flagsOf({ flags }: Command, request: Request): number {
    const found = this.find(request.text(1));
    return found === undefined ? flags : commandFlagsOf(flags, found.fn.flags);
  }

  call(call: ScriptCaller, request: Request, reply: ReplyWriter, isReadOnly: boolean): void {
    const { runner } = this.#host.scripts;
    runner.showMonitors(call, request);
    const found = this.find(request.text(1));
    if (found === undefined) return reply.error('ERR Function not found');
    const count = request.int(2);
    if (count === NOT_INTEGER) return reply.error('ERR Bad number of keys provided');
    if (count > request.argc - FIRST_KEY) {
      return reply.error("ERR Number of keys can't be greater than number of args");
    }
    if (count < 0) return reply.error("ERR Number of keys can't be negative");
    const { library, fn } = found;
    const { name, flags, callback: run } = fn;
    const firstArgument = FIRST_KEY + Number(count);
    const args = [
      texts(request, FIRST_KEY, firstArgument),
      texts(request, firstArgument, request.argc),
    ];
    const { lua } = library;
    runner.run(call, reply, { lua, run, args, name, flags, isReadOnly, kind: 'function' });
    if (!runner.isSuspended) return;
    this.#command = Array.from({ length: request.argc }, (_, i) => request.copy(i));
  }

  running(): RunningFunction | string | undefined {
    const { runner } = this.#host.scripts;
    const { running } = runner;
    if (running === undefined) return undefined;
    const { job, startedUs } = running;
    if (job.kind !== 'function') return runner.busyError;
    const durationMs = Math.floor((this.#host.clock.monoUs() - startedUs) / 1000);
    return { name: job.name, command: this.#command, durationMs };
  }

  kill(): string | undefined {
    return this.#host.scripts.runner.kill('function');
  }

  /** For a snapshot that is loaded into what is there. */
  intake(replaces: boolean): LibraryIntake {
    return new LibraryIntake(this.#group, replaces);
  }

  /** For a snapshot that takes the place of what is there once it is whole; see `adopt`. */
  intakeAside(): LibraryIntake {
    return new LibraryIntake(this.#emptyGroup(), false);
  }

  adopt(intake: LibraryIntake): void {
    this.#group = intake.group;
  }

  #emptyGroup(): LibraryGroup {
    return new LibraryGroup(this.#host, new FunctionLibraries());
  }
}

function limitOf(isTrusted: boolean): number {
  return isTrusted ? TRUSTED_LOAD_MS_MAX : LOAD_MS_MAX;
}
