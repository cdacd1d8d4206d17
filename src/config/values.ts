/** From the words of a directive to its value and back, for every type. Texts are those of redis-server 7.0.15. */
import { checkValue } from './checks.ts';
import {
  type AnySpecialSpec,
  type DirectiveSpec,
  type DirectiveValue,
  type EnumSpec,
  type NumberSpec,
  type SpecialValues,
  boundValue,
} from './directive.ts';
import { memorySize, octalInteger, settingNumber, strictInteger } from './numbers.ts';
import { type Parsed, accept, parseSpecial, refuse, specialText } from './special-values.ts';

const SPLIT_TYPES: ReadonlySet<DirectiveSpec['type']> = new Set([
  'words',
  'savePoints',
  'outputLimits',
  'oomScores',
  'percentiles',
  'shutdownFlags',
  'masterAddress',
]);

/**
 * The value that the words after a directive's name mean. A single word for a directive that takes several is cut at
 * each space. `previous` is what it adds to (see `parseSpecial`).
 */
export function parseValue(
  spec: DirectiveSpec,
  words: readonly string[],
  previous: DirectiveValue,
): Parsed<DirectiveValue> {
  const isSplit = SPLIT_TYPES.has(spec.type) && words.length === 1 && words[0] !== '';
  const parsed = parseTyped(spec, isSplit ? words[0]!.split(' ') : words, previous);
  if (!parsed.ok || spec.check === undefined) return parsed;
  const reason = checkValue(spec.check, parsed.value);
  return reason === undefined ? parsed : refuse(reason);
}

function parseTyped(
  spec: DirectiveSpec,
  words: readonly string[],
  previous: DirectiveValue,
): Parsed<DirectiveValue> {
  switch (spec.type) {
    case 'bool':
    case 'int':
    case 'memory':
    case 'octal':
    case 'string':
    case 'enum':
      return words.length === 1 ? parseWord(spec, words[0]!) : refuse('wrong number of arguments');
    case 'words':
      if (words.length > spec.maxCount) return refuse(spec.tooMany);
      return accept(words.length === 1 && words[0] === '' ? [] : [...words]);
    default:
      return parseSpecial(spec, words, previous as SpecialValues[keyof SpecialValues]);
  }
}

type WordSpec = Extract<
  DirectiveSpec,
  { readonly type: 'bool' | 'int' | 'memory' | 'octal' | 'string' | 'enum' }
>;

function parseWord(spec: WordSpec, word: string): Parsed<DirectiveValue> {
  switch (spec.type) {
    case 'bool': {
      const lower = word.toLowerCase();
      return lower === 'yes' || lower === 'no'
        ? accept(lower === 'yes')
        : refuse("argument must be 'yes' or 'no'");
    }
    case 'string':
      return accept(word);
    case 'enum':
      return parseEnum(spec, word);
    default:
      return parseNumber(spec, word);
  }
}

function parseEnum(spec: EnumSpec, word: string): Parsed<string> {
  const lower = word.toLowerCase();
  if (!spec.values.includes(lower)) {
    return refuse(`argument(s) must be one of the following: ${spec.values.join(', ')}`);
  }
  return accept(spec.synonyms?.[lower] ?? lower);
}

const NUMBER_GRAMMAR: {
  readonly [T in NumberSpec['type']]: {
    readonly parse: (text: string) => bigint | undefined;
    readonly refusal: string;
  };
} = {
  int: { parse: strictInteger, refusal: "argument couldn't be parsed into an integer" },
  memory: { parse: memorySize, refusal: 'argument must be a memory value' },
  octal: { parse: octalInteger, refusal: "argument couldn't be parsed as an octal number" },
};

function parseNumber(spec: NumberSpec, word: string): Parsed<number> {
  const grammar = NUMBER_GRAMMAR[spec.type];
  const value = grammar.parse(word);
  if (value === undefined) return refuse(grammar.refusal);
  const min = BigInt(spec.min);
  const max = boundValue(spec.max);
  if (value < min || value > max) {
    const radix = spec.type === 'octal' ? 8 : 10;
    const range = `${min.toString(radix)} and ${max.toString(radix)}`;
    return refuse(`argument must be between ${range} inclusive`);
  }
  const number = settingNumber(value);
  if (spec.clamp === undefined) return accept(number);
  return accept(Math.min(Math.max(number, spec.clamp[0]), spec.clamp[1]));
}

/** The value as CONFIG GET shows it. */
export function valueText(spec: DirectiveSpec, value: DirectiveValue): string {
  switch (spec.type) {
    case 'bool':
      return value === true ? 'yes' : 'no';
    case 'int':
    case 'memory':
      return String(value as number);
    case 'octal':
      return (value as number).toString(8);
    case 'string':
    case 'enum':
      return value as string;
    case 'words':
      return (value as readonly string[]).join(' ');
    default:
      return specialText(
        spec satisfies AnySpecialSpec,
        value as SpecialValues[keyof SpecialValues],
      );
  }
}
