/**
 * The manifest of a multi-part AOF: one line a file, `file NAME seq N type T`, T of b (base), h (history, to be
 * deleted), i (incremental). Source: files that redis-server 7.0.15 writes, and what it says of damaged ones.
 */
import { quoteArgument, splitArguments } from '../base/index.ts';

export type AofFileKind = 'base' | 'history' | 'incremental';

export interface AofFile {
  /** Without a directory. */
  readonly name: string;
  /** Counts up from 1, for bases and incremental files apart. */
  readonly seq: number;
  readonly kind: AofFileKind;
}

/** Which files make up the data: the base first, then the incremental ones in order. */
export interface AofManifest {
  readonly base: AofFile | undefined;
  /** Replaced files that may not be deleted yet. */
  readonly history: readonly AofFile[];
  readonly incremental: readonly AofFile[];
}

export type ParsedManifest =
  | { readonly ok: true; readonly manifest: AofManifest }
  /** `line` counts from 1. */
  | { readonly ok: false; readonly line: number; readonly text: string; readonly reason: string };

export const EMPTY_MANIFEST: AofManifest = { base: undefined, history: [], incremental: [] };

/** Longest line that redis-server reads. Source: 7.0 aof.c, MANIFEST_MAX_LINE. */
const LINE_SIZE_MAX = 1024;
const KIND_OF: Readonly<Record<string, AofFileKind>> = {
  b: 'base',
  h: 'history',
  i: 'incremental',
};
const LETTER_OF: Readonly<Record<AofFileKind, string>> = {
  base: 'b',
  history: 'h',
  incremental: 'i',
};

/** Name of a base file. `isRdb`: in the form of a snapshot. */
export function baseName(appendfilename: string, seq: number, isRdb: boolean): string {
  return `${appendfilename}.${seq}.base.${isRdb ? 'rdb' : 'aof'}`;
}

/** Name of an incremental file. */
export function incrementalName(appendfilename: string, seq: number): string {
  return `${appendfilename}.${seq}.incr.aof`;
}

/** The manifest as its file has it. */
export function manifestText(manifest: AofManifest): string {
  const { base, history, incremental } = manifest;
  return [...(base === undefined ? [] : [base]), ...history, ...incremental]
    .map(({ name, seq, kind }) => {
      const shown = /^[!-~]+$/.test(name) && !/["'\\]/.test(name) ? name : quoteArgument(name);
      return `file ${shown} seq ${seq} type ${LETTER_OF[kind]}\n`;
    })
    .join('');
}

/** Reads a manifest. Lines that begin with `#` are skipped, as are unknown pairs on a line. */
export function parseManifest(text: string): ParsedManifest {
  if (text === '') return { ok: false, line: 0, text: '', reason: 'Found an empty AOF manifest' };
  const lines = text.split('\n');
  const hasEnd = lines.at(-1) === '';
  let base: AofFile | undefined;
  const history: AofFile[] = [];
  const incremental: AofFile[] = [];
  for (const [index, line] of (hasEnd ? lines.slice(0, -1) : lines).entries()) {
    const refuse = (reason: string): ParsedManifest => {
      return { ok: false, line: index + 1, text: line, reason };
    };
    if (line.startsWith('#')) continue;
    if (line.length >= LINE_SIZE_MAX) return refuse('The AOF manifest file contains too long line');
    if (index === lines.length - 1) return refuse('The AOF manifest file contains too long line');
    const file = fileOf(line.trim());
    if (file === undefined) return refuse('Invalid AOF manifest file format');
    if (typeof file === 'string') return refuse(file);
    if (file.kind === 'history') history.push(file);
    else if (file.kind === 'incremental') {
      if (file.seq <= (incremental.at(-1)?.seq ?? 0)) {
        return refuse('Found a non-monotonic sequence number');
      }
      incremental.push(file);
    } else if (base === undefined) base = file;
    else return refuse('Found duplicate base file information');
  }
  return { ok: true, manifest: { base, history, incremental } };
}

/** The file that a line names; a sentence, or undefined, when it names none. */
function fileOf(line: string): AofFile | string | undefined {
  const words = splitArguments(line);
  if (words === undefined || words.length < 6 || words.length % 2 !== 0) return undefined;
  let name = '';
  let seq = 0;
  let kind: AofFileKind | undefined;
  for (let i = 0; i < words.length; i += 2) {
    const value = words[i + 1]!;
    switch (words[i]!.toLowerCase()) {
      case 'file':
        if (value.includes('/')) return "File can't be a path, just a filename";
        name = value;
        break;
      case 'seq':
        seq = Number(value);
        break;
      case 'type':
        kind = KIND_OF[value];
        if (kind === undefined) return 'Unknown AOF file type';
        break;
      default:
    }
  }
  if (name === '' || !Number.isSafeInteger(seq) || seq <= 0 || kind === undefined) return undefined;
  return { name, seq, kind };
}
