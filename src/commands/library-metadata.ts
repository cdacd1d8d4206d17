/**
 * The first line of a library, `#!lua name=mylib`: which engine runs it and what it is called. Text is one byte a
 * character. Source: behaviour of redis-server 7.0.15, FUNCTION LOAD.
 */
import { splitArguments } from '../base/index.ts';

export interface LibraryMetadata {
  readonly name: string;
  /** What follows the first line, from its line feed on, so that lines keep their numbers. */
  readonly body: string;
}

const MARK = '#!';
const ENGINE = 'lua';
const NAME_FIELD = 'name=';
const NAME = /^[A-Za-z0-9_]+$/;

export const ERR_LIBRARY_NAME =
  'Library names can only contain letters, numbers, or underscores(_) and must be at least one character long';

/** Whether a library or a function may be called so. */
export function isFunctionName(name: string): boolean {
  return NAME.test(name);
}

/** What the code of a library says of itself, or why that is refused. */
export function libraryMetadata(code: string): LibraryMetadata | { readonly flaw: string } {
  if (!code.startsWith(MARK)) return { flaw: 'Missing library metadata' };
  const lineEnd = code.indexOf('\n');
  const line = code.slice(0, Math.max(0, lineEnd));
  const words = lineEnd < 0 || line.includes('\0') ? undefined : splitArguments(line);
  const first = words?.[0];
  if (words === undefined || first === undefined) return { flaw: 'Invalid library metadata' };
  let name: string | undefined;
  for (const word of words.slice(1)) {
    if (!word.toLowerCase().startsWith(NAME_FIELD)) {
      return { flaw: `Invalid metadata value given: ${word}` };
    }
    if (name !== undefined) {
      return { flaw: 'Invalid metadata value, name argument was given multiple times' };
    }
    name = word.slice(NAME_FIELD.length);
  }
  if (name === undefined) return { flaw: 'Library name was not given' };
  if (!isFunctionName(name)) return { flaw: ERR_LIBRARY_NAME };
  const engine = first.slice(MARK.length);
  if (engine.toLowerCase() !== ENGINE) return { flaw: `Engine '${engine}' not found` };
  return { name, body: code.slice(lineEnd) };
}
