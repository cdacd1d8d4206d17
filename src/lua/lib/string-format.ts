/** string.format. Source: Lua 5.1 manual, 5.4; behaviour of redis-server 7.0.15, its errors included. */
import {
  argumentError,
  callError,
  int32Argument,
  numberArgument,
  textArgument,
} from '../arguments.ts';
import type { LuaValue } from '../values.ts';
import { appended, unlessTooLarge } from './bounded-text.ts';
import { type NumberSpec, formatFloat, formatInteger, formatUnsigned } from './number-format.ts';
import { numberText } from './numbers.ts';
import { TextCache } from './text-cache.ts';

const FLAGS = '-+ #0';
/** More flags than there are must say one twice. */
const FLAGS_MAX = 5;
/** Texts from this length on are taken whole where no precision cuts them. */
const LONG_TEXT = 100;
const PERCENT = 0x25;

/** What stands between `%` and a conversion, and where that stands. */
interface Directive {
  readonly spec: NumberSpec;
  readonly conversion: string;
  readonly end: number;
}

export function format(...args: LuaValue[]): string {
  const { length } = args;
  const template = textArgument(args[0], 1, length);
  let text = '';
  let index = 1;
  for (let at = 0; at < template.length;) {
    const percentAt = template.indexOf('%', at);
    if (percentAt < 0) return appended(text, template.slice(at));
    if (percentAt > at) text = appended(text, template.slice(at, percentAt));
    const code = template.charCodeAt(percentAt + 1);
    if (code === PERCENT) {
      text += '%';
      at = percentAt + 2;
      continue;
    }
    index++;
    if (index > length) throw argumentError(index, 'no value');
    const value = args[index - 1];
    const plain = plainText(code, value);
    if (plain !== undefined) {
      text = appended(text, plain);
      at = percentAt + 2;
    } else {
      const directive = knownDirective(template, percentAt + 1);
      text = appended(text, converted(directive, value, index));
      at = directive.end;
    }
  }
  return text;
}

/** What most directives are: `%s` and `%d` of what needs no care. */
function plainText(code: number, value: LuaValue): string | undefined {
  if (typeof value === 'number') {
    if (code === 0x73) return numberText(value);
    return code === 0x64 && Number.isSafeInteger(value) && value !== 0 ? String(value) : undefined;
  }
  if (code !== 0x73) return undefined;
  return typeof value === 'string' && !value.includes('\0') ? value : undefined;
}

/** Directives of templates by where they begin. */
const directives = new TextCache(() => new Map<number, Directive>());

function knownDirective(template: string, start: number): Directive {
  const known = directives.get(template);
  let directive = known.get(start);
  if (directive === undefined) {
    directive = directiveAt(template, start);
    known.set(start, directive);
  }
  return directive;
}

function directiveAt(template: string, start: number): Directive {
  let at = start;
  while (at < template.length && FLAGS.includes(template[at]!)) at++;
  if (at - start > FLAGS_MAX) throw callError('invalid format (repeated flags)');
  const flags = template.slice(start, at);
  const widthEnd = digitsEnd(template, at);
  const width = Number(template.slice(at, widthEnd));
  at = widthEnd;
  let precision = -1;
  if (template[at] === '.') {
    const precisionEnd = digitsEnd(template, at + 1);
    precision = Number(template.slice(at + 1, precisionEnd));
    at = precisionEnd;
  }
  if (isDigit(template.charCodeAt(at))) {
    throw callError('invalid format (width or precision too long)');
  }
  const spec = {
    isLeft: flags.includes('-'),
    isZeroPadded: flags.includes('0') && !flags.includes('-'),
    isAlternate: flags.includes('#'),
    plus: flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '',
    width,
    precision,
  };
  return { spec, conversion: template[at] ?? '\0', end: at + 1 };
}

/** Behind up to two digits. */
function digitsEnd(template: string, start: number): number {
  let at = start;
  while (at < start + 2 && isDigit(template.charCodeAt(at))) at++;
  return at;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function converted({ spec, conversion }: Directive, value: LuaValue, index: number): string {
  switch (conversion) {
    case 'c':
      return formatCharacter(spec, int32Argument(value, index, index) & 0xff);
    case 'd':
    case 'i':
      return formatInteger(spec, numberArgument(value, index, index));
    case 'o':
    case 'u':
    case 'x':
    case 'X':
      return formatUnsigned(spec, conversion, numberArgument(value, index, index));
    case 'e':
    case 'E':
    case 'f':
    case 'g':
    case 'G':
      return formatFloat(spec, conversion, numberArgument(value, index, index));
    case 'q':
      return quoted(textArgument(value, index, index));
    case 's':
      return formatText(spec, textArgument(value, index, index));
    default:
      throw callError(`invalid option '%${conversion === '\0' ? '' : conversion}' to 'format'`);
  }
}

function formatText(spec: NumberSpec, text: string): string {
  if (spec.precision < 0 && text.length >= LONG_TEXT) return text;
  const visible = beforeZero(text);
  return padded(spec, spec.precision < 0 ? visible : visible.slice(0, spec.precision));
}

/** A byte in a field. A zero byte ends what C writes there. */
function formatCharacter(spec: NumberSpec, code: number): string {
  if (code !== 0) return padded(spec, String.fromCharCode(code));
  return spec.isLeft ? '' : ' '.repeat(Math.max(0, spec.width - 1));
}

function padded(spec: NumberSpec, text: string): string {
  return spec.isLeft ? text.padEnd(spec.width) : text.padStart(spec.width);
}

function beforeZero(text: string): string {
  const at = text.indexOf('\0');
  return at < 0 ? text : text.slice(0, at);
}

/** A text that Lua reads as the same text. */
function quoted(text: string): string {
  const inner = unlessTooLarge(() =>
    text.replace(/["\\\n\r\0]/g, (char) =>
      char === '\r' ? '\\r' : char === '\0' ? '\\000' : `\\${char}`,
    ),
  );
  return `"${inner}"`;
}
