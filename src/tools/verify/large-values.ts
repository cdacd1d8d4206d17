/**
 * Compares values of one type in pieces, so that neither side's is ever here whole: the parts of the source are looked
 * up on the target, and where something is missing or the sizes differ, the other way round too.
 */
import { type Argument, replyItems, replyText } from '../../client/index.ts';
import type { Reply } from '../../resp/index.ts';
import type { Abilities } from '../flow/index.ts';
import { type Difference, PartDifferences } from './differences.ts';
import { entryText, fieldExpiryPart, scoreText } from './portrait.ts';
import { type Call, idAfter, streamFacts } from './stream-facts.ts';

/** Elements, or for strings bytes, that are asked for in one go. */
const PAGE_ELEMENTS = 1000;
const PAGE_BYTES: number = 64 * 1024;

type Part = readonly [name: string, text: string];

/** How the values of a type are read. Texts hold one byte a character. */
interface PartReader {
  readonly sizeCommand: string;
  pages(call: Call): AsyncGenerator<readonly Part[]>;
  /** The texts of the same parts; undefined where there is none. */
  lookUp(call: Call, names: readonly string[]): Promise<readonly (string | undefined)[]>;
}

const HASH: PartReader = {
  sizeCommand: 'HLEN',
  pages: (call) => scanPages(call, 'HSCAN', (text) => text.toString('latin1')),
  lookUp: async (call, names) =>
    replyItems(await call('HMGET', ...names.map(bytesOf))).map(textOrNone),
};

/** Before Redis 6.2 about one member at a time. */
function setReader(knowsMany: boolean): PartReader {
  return {
    sizeCommand: 'SCARD',
    pages: (call) => scanPages(call, 'SSCAN'),
    lookUp: async (call, names) => {
      const members = names.map(bytesOf);
      const found = knowsMany
        ? replyItems(await call('SMISMEMBER', ...members))
        : await Promise.all(members.map((member) => call('SISMEMBER', member)));
      return found.map((is) => (is === 1 ? '' : undefined));
    },
  };
}

function zsetReader(knowsMany: boolean): PartReader {
  return {
    sizeCommand: 'ZCARD',
    pages: (call) => scanPages(call, 'ZSCAN', scoreText),
    lookUp: async (call, names) => {
      const members = names.map(bytesOf);
      const found = knowsMany
        ? replyItems(await call('ZMSCORE', ...members))
        : await Promise.all(members.map((member) => call('ZSCORE', member)));
      return found.map((score) => (Buffer.isBuffer(score) ? scoreText(score) : undefined));
    },
  };
}

const LIST: PartReader = {
  sizeCommand: 'LLEN',
  async *pages(call) {
    for (let from = 0; ; from += PAGE_ELEMENTS) {
      const items = replyItems(await call('LRANGE', from, from + PAGE_ELEMENTS - 1));
      yield items.map((item, i) => [String(from + i), textOrNone(item) ?? '']);
      if (items.length < PAGE_ELEMENTS) return;
    }
  },
  async lookUp(call, names) {
    const items = replyItems(await call('LRANGE', names[0] ?? 0, names.at(-1) ?? 0));
    return names.map((_, i) => textOrNone(items[i]));
  },
};

const STRING: PartReader = {
  sizeCommand: 'STRLEN',
  async *pages(call) {
    for (let from = 0; ; from += PAGE_BYTES) {
      const text = textOrNone(await call('GETRANGE', from, from + PAGE_BYTES - 1)) ?? '';
      if (text !== '') yield [[`bytes from ${from}`, text]];
      if (text.length < PAGE_BYTES) return;
    }
  },
  async lookUp(call, [name = '']) {
    const from = Number(name.slice(name.lastIndexOf(' ')));
    return [textOrNone(await call('GETRANGE', from, from + PAGE_BYTES - 1)) || undefined];
  },
};

const STREAM: PartReader = {
  sizeCommand: 'XLEN',
  async *pages(call) {
    for (let from = '-'; ;) {
      const entries = entriesOf(await call('XRANGE', from, '+', 'COUNT', PAGE_ELEMENTS));
      yield entries;
      if (entries.length < PAGE_ELEMENTS) return;
      from = idAfter(entries.at(-1)?.[0] ?? '');
    }
  },
  async lookUp(call, names) {
    const to = names.at(-1) ?? '-';
    // More than were asked for may lie between the first and the last.
    const found = new Map<string, string>();
    for (let from = names[0] ?? '-'; ;) {
      const entries = entriesOf(await call('XRANGE', from, to, 'COUNT', PAGE_ELEMENTS));
      for (const [id, text] of entries) found.set(id, text);
      if (entries.length < PAGE_ELEMENTS) break;
      from = idAfter(entries.at(-1)?.[0] ?? '');
    }
    return names.map((name) => found.get(name));
  },
};

function readerOf(type: string, abilities: Abilities): PartReader | undefined {
  switch (type) {
    case 'hash':
      return HASH;
    case 'set':
      return setReader(abilities.knows('smismember'));
    case 'zset':
      return zsetReader(abilities.knows('zmscore'));
    case 'list':
      return LIST;
    case 'string':
      return STRING;
    case 'stream':
      return STREAM;
    default:
      return undefined;
  }
}

/**
 * Undefined when the values are equal. `source` and `target` send a command about the key, which is their first argument
 * and left out here. Both values are of `type`; `both` is what both sides can be asked.
 */
export async function compareLargeValues(
  type: string,
  source: Call,
  target: Call,
  both: Abilities,
): Promise<Difference | undefined> {
  const reader = readerOf(type, both);
  if (reader === undefined)
    return { kind: 'unread', detail: `values of type ${type} are not known` };
  const found = new PartDifferences();
  let isAnyMissing = false;
  for await (const page of reader.pages(source)) {
    const texts = await lookUp(reader, target, page);
    for (const [i, [part, text]] of page.entries()) {
      if (texts[i] === text) continue;
      isAnyMissing ||= texts[i] === undefined;
      found.add({ part, source: text, target: texts[i] });
    }
  }
  const sizes = await Promise.all([source(reader.sizeCommand), target(reader.sizeCommand)]);
  if (isAnyMissing || sizes[0] !== sizes[1]) await findExtra(reader, source, target, found);
  if (type === 'hash' && both.hasFieldExpiry) await compareFieldExpiry(source, target, found);
  if (type === 'stream') {
    const [one, other] = await Promise.all([streamFacts(source), streamFacts(target)]);
    for (const part of new Set([...one.keys(), ...other.keys()])) {
      const [text, otherText] = [one.get(part), other.get(part)];
      if (text !== otherText) found.add({ part, source: text, target: otherText });
    }
  }
  return found.difference(type);
}

/** When the source's fields expire; a field that the target lacks was told of before. */
async function compareFieldExpiry(
  source: Call,
  target: Call,
  found: PartDifferences,
): Promise<void> {
  for await (const page of HASH.pages(source)) {
    if (page.length === 0) continue;
    const names = page.map(([name]) => name);
    const [here, there] = await Promise.all([fieldTimes(source, names), fieldTimes(target, names)]);
    for (const [i, name] of names.entries()) {
      const [one, other] = [here[i], there[i]];
      if (one === other || one === NO_FIELD || other === NO_FIELD) continue;
      const text = (time: string | undefined): string | undefined =>
        time === STAYS ? undefined : time;
      found.add({ part: fieldExpiryPart(name), source: text(one), target: text(other) });
    }
  }
}

/** Answers of HPEXPIRETIME. */
const STAYS = '-1';
const NO_FIELD = '-2';

async function fieldTimes(call: Call, names: readonly string[]): Promise<readonly string[]> {
  const reply = await call('HPEXPIRETIME', 'FIELDS', names.length, ...names.map(bytesOf));
  return replyItems(reply).map((time) => replyText(time));
}

async function findExtra(
  reader: PartReader,
  source: Call,
  target: Call,
  found: PartDifferences,
): Promise<void> {
  for await (const page of reader.pages(target)) {
    const texts = await lookUp(reader, source, page);
    for (const [i, [part, text]] of page.entries()) {
      if (texts[i] === undefined) found.add({ part, source: undefined, target: text });
    }
  }
}

async function lookUp(
  reader: PartReader,
  call: Call,
  page: readonly Part[],
): Promise<readonly (string | undefined)[]> {
  if (page.length === 0) return [];
  return reader.lookUp(
    call,
    page.map(([name]) => name),
  );
}

/** Pages of a SCAN of elements: names alone, or with texts that `read` reads. */
async function* scanPages(
  call: Call,
  command: string,
  read?: (text: Buffer) => string,
): AsyncGenerator<readonly Part[]> {
  for (let cursor = '0'; ;) {
    const [next, items] = replyItems(await call(command, cursor, 'COUNT', PAGE_ELEMENTS));
    const words = replyItems(items).filter((item): item is Buffer => Buffer.isBuffer(item));
    const page: Part[] = [];
    const step = read === undefined ? 1 : 2;
    for (let i = 0; i + step <= words.length; i += step) {
      page.push([words[i]!.toString('latin1'), read?.(words[i + 1]!) ?? '']);
    }
    yield page;
    cursor = replyText(next);
    if (cursor === '0') return;
  }
}

function entriesOf(reply: Reply): Part[] {
  return replyItems(reply).map((entry) => {
    const [id, words] = replyItems(entry);
    return [replyText(id), entryText(replyItems(words).map((word) => textOrNone(word) ?? ''))];
  });
}

function bytesOf(text: string): Argument {
  return Buffer.from(text, 'latin1');
}

function textOrNone(reply: Reply | undefined): string | undefined {
  return Buffer.isBuffer(reply) ? reply.toString('latin1') : undefined;
}
