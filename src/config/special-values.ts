/** Reading and writing of the directives whose values have a grammar of their own. */
import {
  type AnySpecialSpec,
  KEYSPACE_EVENT,
  type MasterAddress,
  type MemoryOrPercent,
  type OutputLimit,
  type OutputLimits,
  SHUTDOWN_FLAGS,
  type SavePoint,
  type ShutdownFlag,
  type SpecialValues,
} from './directive.ts';
import { decimalNumber, laxInteger, memorySize, narrowToInt, settingNumber } from './numbers.ts';
import { strictInteger } from './numbers.ts';

/** A value, or why the text is none, in Redis's words. */
export type Parsed<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string };

type SpecialValue = SpecialValues[keyof SpecialValues];

export function accept<T>(value: T): Parsed<T> {
  return { ok: true, value };
}

export function refuse(reason: string): { readonly ok: false; readonly reason: string } {
  return { ok: false, reason };
}

const WRONG_COUNT = 'wrong number of arguments';

/** `previous` is what the value adds to: save points of earlier lines, limits of other classes. */
export function parseSpecial(
  spec: AnySpecialSpec,
  args: readonly string[],
  previous: SpecialValue,
): Parsed<SpecialValue> {
  switch (spec.type) {
    case 'savePoints':
      return parseSavePoints(args, previous as readonly SavePoint[]);
    case 'outputLimits':
      return parseOutputLimits(args, previous as OutputLimits);
    case 'oomScores':
      return parseOomScores(args);
    case 'percentiles':
      return parsePercentiles(args);
    case 'shutdownFlags':
      return parseShutdownFlags(args);
    case 'masterAddress':
      return args.length === 2 ? parseMasterAddress(args[0]!, args[1]!) : refuse(WRONG_COUNT);
    case 'keyspaceEvents':
      return args.length === 1 ? parseKeyspaceEvents(args[0]!) : refuse(WRONG_COUNT);
    case 'memoryOrPercent':
      return args.length === 1 ? parseMemoryOrPercent(args[0]!) : refuse(WRONG_COUNT);
  }
}

function parseSavePoints(
  args: readonly string[],
  previous: readonly SavePoint[],
): Parsed<readonly SavePoint[]> {
  if (args.length === 1 && args[0] === '') return accept([]);
  if (args.length % 2 !== 0) return refuse('Invalid save parameters');
  const points = [...previous];
  for (let i = 0; i < args.length; i += 2) {
    const seconds = laxInteger(args[i]!);
    const changes = laxInteger(args[i + 1]!);
    if (seconds === undefined || seconds < 1n || changes === undefined || changes < 0n) {
      return refuse('Invalid save parameters');
    }
    points.push({ seconds: settingNumber(seconds), changes: narrowToInt(changes) });
  }
  return accept(points);
}

function limitClass(word: string): keyof OutputLimits | undefined {
  const lower = word.toLowerCase();
  if (lower === 'slave') return 'replica';
  return lower === 'normal' || lower === 'replica' || lower === 'pubsub' ? lower : undefined;
}

function parseOutputLimits(args: readonly string[], previous: OutputLimits): Parsed<OutputLimits> {
  if (args.length % 4 !== 0) {
    return refuse('Wrong number of arguments in buffer limit configuration.');
  }
  let limits = previous;
  for (let i = 0; i < args.length; i += 4) {
    const name = limitClass(args[i]!);
    if (name === undefined) {
      return refuse('Invalid client class specified in buffer limit configuration.');
    }
    const limit = parseOutputLimit(args[i + 1]!, args[i + 2]!, args[i + 3]!);
    if (limit === undefined) {
      return refuse('Error in hard, soft or soft_seconds setting in buffer limit configuration.');
    }
    limits = { ...limits, [name]: limit };
  }
  return accept(limits);
}

function parseOutputLimit(hard: string, soft: string, seconds: string): OutputLimit | undefined {
  const hardBytes = memorySize(hard);
  const softBytes = memorySize(soft);
  const softSeconds = laxInteger(seconds);
  if (hardBytes === undefined || softBytes === undefined) return undefined;
  if (softSeconds === undefined || softSeconds < 0n) return undefined;
  return {
    hardBytes: settingNumber(hardBytes),
    softBytes: settingNumber(softBytes),
    softSeconds: narrowToInt(softSeconds),
  };
}

function parseOomScores(args: readonly string[]): Parsed<readonly [number, number, number]> {
  if (args.length !== 3) return refuse(WRONG_COUNT);
  const scores = args.map(laxInteger);
  if (scores.some((score) => score === undefined || score < -2000n || score > 2000n)) {
    return refuse('Invalid oom-score-adj-values, elements must be between -2000 and 2000.');
  }
  return accept([Number(scores[0]), Number(scores[1]), Number(scores[2])]);
}

function parsePercentiles(args: readonly string[]): Parsed<readonly number[]> {
  if (args.length === 1 && args[0] === '') return accept([]);
  const percentiles: number[] = [];
  for (const arg of args) {
    const value = decimalNumber(arg);
    if (value === undefined) {
      return refuse('Invalid latency-tracking-info-percentiles parameters');
    }
    if (value < 0 || value > 100) {
      return refuse('latency-tracking-info-percentiles parameters should sit between [0.0,100.0]');
    }
    percentiles.push(value);
  }
  return accept(percentiles);
}

function parseShutdownFlags(args: readonly string[]): Parsed<readonly ShutdownFlag[]> {
  const words = new Set<string>();
  for (const arg of args) words.add(arg.toLowerCase());
  const flags = SHUTDOWN_FLAGS.filter((flag) => words.has(flag));
  const knownCount = flags.length + (words.has('default') ? 1 : 0);
  if (words.size === 0 || knownCount !== words.size) {
    return refuse(
      `argument(s) must be one of the following: default, ${SHUTDOWN_FLAGS.join(', ')}`,
    );
  }
  return words.has('save') && words.has('nosave')
    ? refuse("shutdown options SAVE and NOSAVE can't be used simultaneously")
    : accept(flags);
}

function parseMasterAddress(host: string, portText: string): Parsed<MasterAddress | undefined> {
  if (host.toLowerCase() === 'no' && portText.toLowerCase() === 'one') return accept(undefined);
  const port = laxInteger(portText);
  return port === undefined || port < 0n || port > 65535n
    ? refuse('Invalid master port')
    : accept({ host, port: Number(port) });
}

const EVENTS_OF_A = ['g', '$', 'l', 's', 'h', 'z', 'x', 'e', 't', 'd'] as const;
const ALL_EVENTS: number = EVENTS_OF_A.reduce((sum, letter) => sum | KEYSPACE_EVENT[letter], 0);

function parseKeyspaceEvents(text: string): Parsed<number> {
  let bits = 0;
  for (const letter of text) {
    if (letter === 'A') bits |= ALL_EVENTS;
    else if (Object.hasOwn(KEYSPACE_EVENT, letter)) {
      bits |= KEYSPACE_EVENT[letter as keyof typeof KEYSPACE_EVENT];
    } else return refuse("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.");
  }
  return accept(bits);
}

/** The letters in Redis's order. With all of `A` it leaves `n` out, which is then lost on the way back. */
function keyspaceEventsText(bits: number): string {
  let text = '';
  if ((bits & ALL_EVENTS) === ALL_EVENTS) text = 'A';
  else for (const letter of [...EVENTS_OF_A, 'n'] as const) text += lettered(bits, letter);
  return text + lettered(bits, 'K') + lettered(bits, 'E') + lettered(bits, 'm');
}

function lettered(bits: number, letter: keyof typeof KEYSPACE_EVENT): string {
  return (bits & KEYSPACE_EVENT[letter]) === 0 ? '' : letter;
}

function parseMemoryOrPercent(text: string): Parsed<MemoryOrPercent> {
  const percent = text.endsWith('%') ? strictInteger(text.slice(0, -1)) : undefined;
  if (percent !== undefined && percent >= 0n) {
    return percent > 100n
      ? refuse('percentage argument must be less or equal to 100')
      : accept({ unit: percent === 0n ? 'bytes' : 'percent', amount: Number(percent) });
  }
  const bytes = memorySize(text);
  return bytes === undefined
    ? refuse('argument must be a memory or percent value')
    : accept({ unit: 'bytes', amount: settingNumber(bytes) });
}

/** The value as CONFIG GET shows it. */
export function specialText(spec: AnySpecialSpec, value: SpecialValue): string {
  switch (spec.type) {
    case 'savePoints':
      return (value as readonly SavePoint[]).map((p) => `${p.seconds} ${p.changes}`).join(' ');
    case 'outputLimits': {
      const limits = value as OutputLimits;
      const text = (l: OutputLimit): string => `${l.hardBytes} ${l.softBytes} ${l.softSeconds}`;
      return `normal ${text(limits.normal)} slave ${text(limits.replica)} pubsub ${text(limits.pubsub)}`;
    }
    case 'oomScores':
      return (value as readonly number[]).join(' ');
    case 'percentiles':
      return (value as readonly number[]).map(percentileText).join(' ');
    case 'shutdownFlags':
      return (value as readonly ShutdownFlag[]).join(' ') || 'default';
    case 'masterAddress': {
      const address = value as MasterAddress | undefined;
      return address === undefined ? '' : `${address.host} ${address.port}`;
    }
    case 'keyspaceEvents':
      return keyspaceEventsText(value as number);
    case 'memoryOrPercent': {
      const { unit, amount } = value as MemoryOrPercent;
      return unit === 'percent' ? `${amount}%` : String(amount);
    }
  }
}

/** Six decimals at most, without trailing zeros. */
function percentileText(value: number): string {
  return String(Number(value.toFixed(6)));
}
