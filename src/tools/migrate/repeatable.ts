/**
 * Commands that may be carried out again together with all that followed them: what they write does not depend on what
 * was there, and they leave no trace that would not be the same the second time. Whatever removes a part of a value is
 * not among them: the last part takes the key and its expiry time along.
 */
import type { Request } from '../../resp/index.ts';

const ALWAYS: ReadonlySet<string> = new Set([
  'del',
  'unlink',
  'mset',
  'hset',
  'hmset',
  'sadd',
  'pexpireat',
  'expireat',
  'persist',
  'setbit',
  'setrange',
]);
/** Of SET: what does not make it depend on the key or on the moment. */
const SET_WORDS: ReadonlySet<string> = new Set(['pxat', 'exat', 'keepttl']);
const FIRST_DIGIT = 0x30;
const LAST_DIGIT = 0x39;

/** `name`: in lower case. */
export function isRepeatable(name: string, request: Request): boolean {
  if (ALWAYS.has(name)) return true;
  if (name === 'set') return isPlainSet(request);
  if (name === 'zadd') return request.argc > 3 && isNumber(request, 2);
  return name === 'restore' && hasWord(request, 'replace') && hasWord(request, 'absttl');
}

function isPlainSet(request: Request): boolean {
  for (let i = 3; i < request.argc; i++) {
    const word = request.text(i).toLowerCase();
    if (!SET_WORDS.has(word)) return false;
    if (word !== 'keepttl') i++;
  }
  return true;
}

function hasWord(request: Request, word: string): boolean {
  for (let i = 4; i < request.argc; i++) if (request.is(i, word)) return true;
  return false;
}

/** Whether the argument is a score rather than an option. */
function isNumber(request: Request, index: number): boolean {
  const first = request.buf[request.at[index]!]!;
  const isDigit = first >= FIRST_DIGIT && first <= LAST_DIGIT;
  return isDigit || !Number.isNaN(Number(request.text(index).replace(/inf(inity)?$/i, '1')));
}

/** A call of FUNCTION that loads libraries in the form that replaces those that are there; undefined for any other. */
export function replacingLibraries(request: Request): readonly (Buffer | string)[] | undefined {
  const { argc } = request;
  if (argc < 3) return undefined;
  if (request.is(1, 'load')) return ['FUNCTION', 'LOAD', 'REPLACE', request.bytes(argc - 1)];
  if (!request.is(1, 'restore') || (argc > 3 && !request.is(3, 'append'))) return undefined;
  return ['FUNCTION', 'RESTORE', request.bytes(2), 'REPLACE'];
}
