/**
 * redis.conf at start-up: text in, settings out, or the first line that is wrong and why.
 * Files named by `include` come through a port; nothing here touches a disk.
 */
import { splitArguments } from '../base/index.ts';
import { type DirectiveValue, type SavePoint } from './directive.ts';
import { type DirectiveName, type Settings, defaultSettings, findDirective } from './directives.ts';
import { presentName, readOtherVersion } from './other-versions.ts';
import { parseValue } from './values.ts';

/** How deep files may include each other; our own bound, Redis follows a cycle until it crashes. */
export const INCLUDE_DEPTH_MAX = 16;

export interface ConfigReader {
  /** The whole text (latin1) of a file, or the operating system's words for why it cannot be read. */
  read(path: string): { readonly text: string } | { readonly error: string };
  /** Paths that match the pattern of an `include`, in order; without wildcards the path itself, even if missing. */
  expand(pattern: string): readonly string[];
}

export interface SourceLine {
  /** From 1, within its own file. */
  readonly number: number;
  /** Without the blanks around it. */
  readonly text: string;
}

/** A directive whose meaning lies outside configuration; `args` are the words after its name. */
export interface Declaration {
  readonly args: readonly string[];
  readonly line: SourceLine;
}

export interface ForeignLine {
  readonly name: string;
  readonly line: SourceLine;
}

export interface LoadedConfig {
  readonly settings: Settings;
  /** `user` lines, for the ACL. */
  readonly users: readonly Declaration[];
  /** `rename-command` lines: two words each. */
  readonly renames: readonly Declaration[];
  /** `loadmodule` lines: at least a path. */
  readonly modules: readonly Declaration[];
  /** `sentinel` lines; only in Sentinel mode. */
  readonly sentinels: readonly Declaration[];
  /** Lines with directives of other versions that have no meaning here. */
  readonly foreign: readonly ForeignLine[];
  /** The last line that set each directive, to report a value that proves impossible later. */
  readonly lines: ReadonlyMap<DirectiveName, SourceLine>;
}

export type ConfigFailure =
  | { readonly kind: 'badLine'; readonly line: SourceLine; readonly reason: string }
  | { readonly kind: 'badWhole'; readonly reason: string }
  | { readonly kind: 'cannotOpen'; readonly path: string; readonly reason: string };

export interface ConfigSource {
  readonly text: string;
  readonly reader: ConfigReader;
  readonly isSentinel: boolean;
}

interface Loading {
  readonly values: { [N in DirectiveName]?: DirectiveValue };
  readonly users: Declaration[];
  readonly renames: Declaration[];
  readonly modules: Declaration[];
  readonly sentinels: Declaration[];
  readonly foreign: ForeignLine[];
  readonly lines: Map<DirectiveName, SourceLine>;
  readonly source: ConfigSource;
}

const BAD_DIRECTIVE = 'Bad directive or wrong number of arguments';

/** Reads a whole configuration over the defaults. */
export function loadConfig(
  source: ConfigSource,
):
  | { readonly ok: true; readonly config: LoadedConfig }
  | { readonly ok: false; readonly failure: ConfigFailure } {
  const loading: Loading = {
    values: { ...defaultSettings() },
    users: [],
    renames: [],
    modules: [],
    sentinels: [],
    foreign: [],
    lines: new Map(),
    source,
  };
  const failure = loadText(loading, source.text, 0) ?? wholeFailure(loading);
  if (failure !== undefined) return { ok: false, failure };
  const { users, renames, modules, sentinels, foreign, lines } = loading;
  // Every name has the default or a value of its own type, since `parseValue` follows the specification.
  const settings = loading.values as Settings;
  return { ok: true, config: { settings, users, renames, modules, sentinels, foreign, lines } };
}

/** What redis-server prints before it ends: to stderr, or for a file that cannot be opened to the log. */
export function configFailureText(failure: ConfigFailure, version: string): string {
  if (failure.kind === 'cannotOpen') {
    return `Fatal error, can't open config file '${failure.path}': ${failure.reason}`;
  }
  const head = `\n*** FATAL CONFIG FILE ERROR (Redis ${version}) ***\n`;
  if (failure.kind === 'badWhole') return `${head}${failure.reason}\n`;
  const { number, text } = failure.line;
  return `${head}Reading the configuration file, at line ${number}\n>>> '${text}'\n${failure.reason}\n`;
}

function wholeFailure(loading: Loading): ConfigFailure | undefined {
  const { values } = loading;
  return values['cluster-enabled'] === true && values.replicaof !== undefined
    ? { kind: 'badWhole', reason: 'replicaof directive not allowed in cluster mode' }
    : undefined;
}

function loadText(loading: Loading, text: string, depth: number): ConfigFailure | undefined {
  let number = 0;
  for (const raw of text.split('\n')) {
    number++;
    const line: SourceLine = { number, text: trimLine(raw) };
    if (line.text === '' || line.text.startsWith('#')) continue;
    const words = splitArguments(line.text);
    if (words === undefined) {
      return { kind: 'badLine', line, reason: 'Unbalanced quotes in configuration line' };
    }
    if (words.length === 0) continue;
    const failure = loadDirective(loading, words, line, depth);
    if (failure !== undefined) return failure;
  }
  return undefined;
}

/** A line without the blanks that redis.conf allows around it. */
export function trimLine(raw: string): string {
  return raw.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, '');
}

function loadDirective(
  loading: Loading,
  words: readonly string[],
  line: SourceLine,
  depth: number,
): ConfigFailure | undefined {
  const name = words[0]!.toLowerCase();
  const args = words.slice(1);
  const found = findDirective(presentName(name));
  if (found !== undefined) {
    const { spec } = found;
    const parsed = parseValue(spec, args, previousValue(loading, found.name));
    if (!parsed.ok) return { kind: 'badLine', line, reason: parsed.reason };
    loading.values[found.name] = parsed.value;
    loading.lines.set(found.name, line);
    return undefined;
  }
  if (name === 'include' && args.length === 1) return loadIncluded(loading, args[0]!, line, depth);
  const reason = loadDeclaration(loading, name, { args, line });
  return reason === undefined ? undefined : { kind: 'badLine', line, reason };
}

/** The first `save` line replaces the built-in points, later ones add to it. */
function previousValue(loading: Loading, name: DirectiveName): DirectiveValue {
  const none: readonly SavePoint[] = [];
  return name === 'save' && !loading.lines.has(name) ? none : loading.values[name];
}

function loadDeclaration(
  loading: Loading,
  name: string,
  declaration: Declaration,
): string | undefined {
  const count = declaration.args.length;
  if (name === 'user' && count >= 1) return loadUser(loading, declaration);
  if (name === 'rename-command' && count === 2) loading.renames.push(declaration);
  else if (name === 'loadmodule' && count >= 1) loading.modules.push(declaration);
  else if (name === 'sentinel') {
    // Without arguments it is what `--sentinel` on the command line becomes, and says nothing.
    if (count === 0) return undefined;
    if (!loading.source.isSentinel) return 'sentinel directive while not in sentinel mode';
    loading.sentinels.push(declaration);
  } else return loadForeign(loading, name, declaration);
  return undefined;
}

function loadForeign(
  { foreign }: Loading,
  name: string,
  { args, line }: Declaration,
): string | undefined {
  const reading = readOtherVersion(name, args);
  if (reading === undefined) return BAD_DIRECTIVE;
  if (reading.kind === 'flaw') return reading.reason;
  if (reading.kind === 'told') foreign.push({ name, line });
  return undefined;
}

function loadUser({ users }: Loading, declaration: Declaration): string | undefined {
  const [name] = declaration.args;
  users.push(declaration);
  return users.some((user) => user !== declaration && user.args[0] === name)
    ? `Error in user declaration '${name}': Duplicate user found. A user can only be defined once in config files`
    : undefined;
}

function loadIncluded(
  loading: Loading,
  pattern: string,
  line: SourceLine,
  depth: number,
): ConfigFailure | undefined {
  if (depth >= INCLUDE_DEPTH_MAX) {
    return { kind: 'badLine', line, reason: 'include files are nested too deeply' };
  }
  const { reader } = loading.source;
  for (const path of reader.expand(pattern)) {
    const file = reader.read(path);
    if ('error' in file) return { kind: 'cannotOpen', path, reason: file.error };
    const failure = loadText(loading, file.text, depth + 1);
    if (failure !== undefined) return failure;
  }
  return undefined;
}
