/** What a script says of itself: the flags behind `#!lua`, or those a function is registered with. */
import { FLAG_DENYOOM, FLAG_MAY_REPLICATE, FLAG_STALE, FLAG_WRITE } from '../../commands/index.ts';

/** Flags as bits. */
export const SCRIPT_NO_WRITES = 1;
export const SCRIPT_ALLOW_OOM = 2;
export const SCRIPT_ALLOW_STALE = 4;
export const SCRIPT_NO_CLUSTER = 8;
export const SCRIPT_ALLOW_CROSS_SLOT = 16;
/** It says nothing of itself: rules of old apply to it. */
export const SCRIPT_UNDECLARED = 32;

const FLAG_NAMES: readonly (readonly [string, number])[] = [
  ['no-writes', SCRIPT_NO_WRITES],
  ['allow-oom', SCRIPT_ALLOW_OOM],
  ['allow-stale', SCRIPT_ALLOW_STALE],
  ['no-cluster', SCRIPT_NO_CLUSTER],
  ['allow-cross-slot-keys', SCRIPT_ALLOW_CROSS_SLOT],
];

/** The bit of a flag's name; undefined when there is no such flag. */
export function scriptFlag(name: string): number | undefined {
  return FLAG_NAMES.find(([known]) => known === name)?.[1];
}

/** The names of the flags that are set, in the order that FUNCTION LIST has them. */
export function scriptFlagNames(flags: number): readonly string[] {
  return FLAG_NAMES.filter(([, bit]) => (flags & bit) !== 0).map(([name]) => name);
}

/** What the first line of a script says. */
export interface Shebang {
  readonly flags: number;
  /** Of the text, where the script itself begins: the line break, so that its lines keep their numbers. */
  readonly bodyAt: number;
}

const OPTION_FLAGS = 'flags=';

/** Reads the first line of the text of EVAL; an error's text when it makes no sense. */
export function readShebang(text: string): Shebang | string {
  if (!text.startsWith('#!')) return { flags: SCRIPT_UNDECLARED, bodyAt: 0 };
  const bodyAt = text.indexOf('\n');
  if (bodyAt < 0) return 'ERR Invalid script shebang';
  const [engine = '', ...options] = text
    .slice(0, bodyAt)
    .split(' ')
    .filter((word) => word !== '');
  if (engine !== '#!lua') return `ERR Unexpected engine in script shebang: ${engine}`;
  let flags = 0;
  for (const option of options) {
    if (!option.startsWith(OPTION_FLAGS)) return `ERR Unknown lua shebang option: ${option}`;
    const names = option.slice(OPTION_FLAGS.length);
    for (const name of names === '' ? [] : names.split(',')) {
      const flag = scriptFlag(name);
      if (flag === undefined) return `ERR Unexpected flag in script shebang: ${name}`;
      flags |= flag;
    }
  }
  return { flags, bodyAt };
}

/** The flags of a command that runs a script: what the script says counts more than what holds for any script. */
export function commandFlagsOf(commandFlags: number, scriptFlags: number): number {
  if ((scriptFlags & SCRIPT_UNDECLARED) !== 0) return commandFlags;
  let flags = commandFlags & ~(FLAG_STALE | FLAG_DENYOOM | FLAG_WRITE | FLAG_MAY_REPLICATE);
  if ((scriptFlags & SCRIPT_NO_WRITES) === 0) flags |= FLAG_WRITE;
  if ((scriptFlags & (SCRIPT_NO_WRITES | SCRIPT_ALLOW_OOM)) === 0) flags |= FLAG_DENYOOM;
  if ((scriptFlags & SCRIPT_ALLOW_STALE) !== 0) flags |= FLAG_STALE;
  return flags;
}
