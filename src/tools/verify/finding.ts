/** A key that differs, as it is told: a line for people, an object for programs. */
import { type Screen } from '../screen.ts';
import type { Difference, DifferenceKind, PartDifference } from './differences.ts';
import type { Suspect } from './rounds.ts';

/** How a key came out in the end. */
export interface Finding extends Suspect {
  /** Whether it was made equal afterwards. */
  readonly repair: 'none' | 'done' | 'failed';
}

/** Every kind of difference, with its name for people behind "keys" and for RedisFullCheck's readers. */
export const KINDS: readonly (readonly [DifferenceKind, name: string, conflict: string])[] = [
  ['onlyOnSource', 'only on the source', 'lack_target'],
  ['onlyOnTarget', 'only on the target', 'lack_source'],
  ['type', 'of another type', 'type'],
  ['value', 'of another value', 'value'],
  ['ttl', 'with another expiry', 'ttl'],
  ['unread', 'that could not be read', 'unread'],
];

const TEXT_SHOWN_MAX = 80;
const PARTS_TOLD_MAX = 3;

/** RedisFullCheck's word for what is wrong with a key. */
export function conflictOf({ kind }: Difference): string {
  return KINDS.find(([known]) => known === kind)?.[2] ?? kind;
}

/** The same for one part of a value. */
export function partConflictOf({ source, target }: PartDifference): string {
  if (source === undefined) return 'lack_source';
  return target === undefined ? 'lack_target' : 'value';
}

/** Parts that have names: not the text of a string. */
export function namedParts({ type, parts = [] }: Difference): readonly PartDifference[] {
  return type === 'string' ? [] : parts;
}

/** The key as people read it, what is wrong with it, and the details. */
export function textsOf(finding: Finding): readonly [key: string, kind: string, detail: string] {
  const { pair, key, difference, repair } = finding;
  const name = KINDS.find(([kind]) => kind === difference.kind)?.[1] ?? difference.kind;
  const remarks = [
    detailOf(difference),
    ...(difference.isChanging === true ? ['(it is being written to)'] : []),
    ...(repair === 'none' ? [] : [`[repair ${repair}]`]),
  ];
  const detail = remarks.filter((remark) => remark !== '').join(' ');
  return [shownKey(key, pair.source), name, detail];
}

export function shownKey(key: Buffer, db: number): string {
  return `${shown(key.toString('latin1'))}${db === 0 ? '' : ` (database ${db})`}`;
}

/** One line. */
export function lineOf(finding: Finding, screen: Screen): string {
  const [key, kind, detail] = textsOf(finding);
  return `${screen.paint('bold', key)} ${kind}${detail === '' ? '' : `: ${detail}`}`;
}

/** Of a key that differed the last time. */
export function equalEvent(key: Buffer, db: number): object {
  return { event: 'equal', ...bytesField('key', key), db };
}

/** As `--json` lists it. */
export function jsonOf({ pair, key, difference, repair }: Finding): object {
  const { parts, isChanging, ...rest } = difference;
  return {
    event: 'difference',
    ...bytesField('key', key),
    db: pair.source,
    ...(pair.target === pair.source ? {} : { targetDb: pair.target }),
    ...rest,
    ...(isChanging === true ? { changing: true } : {}),
    ...(parts === undefined ? {} : { parts: parts.map(partJson) }),
    ...(repair === 'none' ? {} : { repair }),
  };
}

function detailOf({ detail, parts = [], partCount = 0 }: Difference): string {
  if (detail !== undefined) return detail;
  const texts = parts.slice(0, PARTS_TOLD_MAX).map(partText);
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
  const text = textIn(bytes);
  return text === undefined ? { [`${name}Base64`]: bytes.toString('base64') } : { [name]: text };
}

/** Undefined when the bytes are no UTF-8. */
export function textIn(bytes: Buffer): string | undefined {
  const text = bytes.toString();
  return Buffer.from(text).equals(bytes) ? text : undefined;
}
