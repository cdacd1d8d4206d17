/** What a comparison shows: a line for each key that differs, and a table at the end. */
import { type Screen, tableLines } from '../screen.ts';
import type { Difference, DifferenceKind, PartDifference } from './differences.ts';
import type { RoundsProgress, Suspect } from './rounds.ts';

/** How a key came out in the end. */
export interface Finding extends Suspect {
  /** Whether it was made equal afterwards. */
  readonly repair: 'none' | 'done' | 'failed';
}

export interface Outcome {
  readonly progress: RoundsProgress;
  readonly findings: readonly Finding[];
  readonly isFinished: boolean;
  readonly seconds: number;
}

const KINDS: readonly (readonly [DifferenceKind, string])[] = [
  ['onlyOnSource', 'only on the source'],
  ['onlyOnTarget', 'only on the target'],
  ['type', 'of another type'],
  ['value', 'of another value'],
  ['ttl', 'with another expiry'],
  ['unread', 'that could not be read'],
];

/** Lines of text that are shown before the rest is only counted; JSON has them all. */
const LINES_MAX = 100;
const TEXT_SHOWN_MAX = 80;

/** Shows everything that was found. */
export function showOutcome(outcome: Outcome, screen: Screen): void {
  const { findings, progress, isFinished, seconds } = outcome;
  for (const finding of findings) screen.event(jsonOf(finding));
  for (const finding of findings.slice(0, LINES_MAX)) screen.out(lineOf(finding, screen));
  if (findings.length > LINES_MAX) {
    screen.out(`… and ${findings.length - LINES_MAX} more; --json lists all of them`);
  }
  const counts = KINDS.map(
    ([kind]) => findings.filter(({ difference }) => difference.kind === kind).length,
  );
  const unrepaired = findings.filter(({ repair }) => repair !== 'done').length;
  screen.event({
    event: 'summary',
    finished: isFinished,
    equal: isFinished && unrepaired === 0,
    rounds: progress.round,
    sourceKeys: progress.sourceKeys,
    targetKeys: progress.targetKeys,
    differences: Object.fromEntries(KINDS.map(([kind], i) => [kind, counts[i]])),
    repaired: findings.length - unrepaired,
    seconds: Number(seconds.toFixed(2)),
  });
  const rows = KINDS.map(([, name], i) => [`keys ${name}`, String(counts[i])]);
  const table = [
    ['keys of the source', String(progress.sourceKeys)],
    ['keys of the target', String(progress.targetKeys)],
    ...rows,
  ];
  for (const line of tableLines(['', 'count'], table, [1])) screen.out(line);
  screen.out(verdict(outcome, unrepaired, screen));
}

function verdict(outcome: Outcome, unrepaired: number, screen: Screen): string {
  const { findings, isFinished, progress, seconds } = outcome;
  const when = `after ${progress.round} ${progress.round === 1 ? 'round' : 'rounds'} and ${seconds.toFixed(1)} s`;
  if (!isFinished) return `${screen.paint('yellow', 'NOT FINISHED')} ${when}`;
  if (findings.length === 0) return `${screen.paint('green', 'OK')} all is equal, ${when}`;
  const word = findings.length === 1 ? 'key differs' : 'keys differ';
  if (unrepaired === 0) {
    return `${screen.paint('green', 'OK')} ${findings.length} differing keys were repaired, ${when}`;
  }
  return `${screen.paint('red', 'DIFFERENT')} ${findings.length} ${word}, ${when}`;
}

function lineOf({ pair, key, difference, repair }: Finding, screen: Screen): string {
  const name = KINDS.find(([kind]) => kind === difference.kind)?.[1] ?? difference.kind;
  const db = pair.source === 0 && pair.target === 0 ? '' : ` (database ${pair.source})`;
  const mended = repair === 'none' ? '' : ` [repair ${repair}]`;
  const detail = detailOf(difference);
  return `${screen.paint('bold', shown(key.toString('latin1')))}${db} ${name}${detail === '' ? '' : `: ${detail}`}${mended}`;
}

function detailOf({ detail, parts = [], partCount = 0 }: Difference): string {
  if (detail !== undefined) return detail;
  const texts = parts.slice(0, 3).map(partText);
  if (partCount > texts.length) texts.push(`${partCount} parts in all`);
  return texts.join('; ');
}

function partText({ part, source, target }: PartDifference): string {
  const name = part === '' ? '' : `${shown(part.trim())}: `;
  return `${name}${valueText(source)} on the source, ${valueText(target)} on the target`;
}

function valueText(text: string | undefined): string {
  return text === undefined ? 'nothing' : shown(text);
}

/** Bytes for people: quoted, what is not printable escaped, shortened. */
function shown(text: string): string {
  const short = text.length > TEXT_SHOWN_MAX ? `${text.slice(0, TEXT_SHOWN_MAX)}…` : text;
  const escaped = short.replaceAll(
    /[^ !#-[\]-~…]/g,
    (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
  return `"${escaped}"`;
}

function jsonOf({ pair, key, difference, repair }: Finding): object {
  const { parts, ...rest } = difference;
  return {
    event: 'difference',
    ...bytesField('key', key),
    db: pair.source,
    ...(pair.target === pair.source ? {} : { targetDb: pair.target }),
    ...rest,
    ...(parts === undefined ? {} : { parts: parts.map(partJson) }),
    ...(repair === 'none' ? {} : { repair }),
  };
}

function partJson({ part, source, target }: PartDifference): object {
  const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
  return {
    ...bytesField('part', bytes(part)),
    ...(source === undefined ? {} : bytesField('source', bytes(source))),
    ...(target === undefined ? {} : bytesField('target', bytes(target))),
  };
}

/** As text where it is UTF-8, else as base64 under another name. */
function bytesField(name: string, bytes: Buffer): object {
  const text = bytes.toString();
  if (Buffer.from(text).equals(bytes)) return { [name]: text };
  return { [`${name}Base64`]: bytes.toString('base64') };
}
