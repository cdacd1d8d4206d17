/** One command as COMMAND and COMMAND INFO show it. Source: COMMAND INFO of redis-server 7.0.15. */
import type { ReplyWriter } from '../resp/index.ts';
import type { KeySpec } from './spec.ts';
import type { Command } from './table.ts';

/** Writes name, arity, flags, key range, categories, tips, key specifications and subcommands. */
export function writeCommandFacts(reply: ReplyWriter, command: Command): void {
  const { spec } = command;
  reply.array(10);
  reply.bulkText(command.fullName);
  reply.int(spec.arity);
  writeWords(reply, spec.flags);
  reply.int(command.firstKey);
  reply.int(command.lastKey);
  reply.int(command.keyStep);
  writeWords(reply, spec.categories);
  const tips = spec.tips ?? [];
  reply.set(tips.length);
  for (const tip of tips) reply.bulkText(tip);
  const keys = spec.keys ?? [];
  reply.set(keys.length);
  for (const key of keys) writeKeySpec(reply, key);
  if (command.subcommands.size === 0) reply.set(0);
  else reply.array(command.subcommands.size);
  for (const sub of command.subcommands.values()) writeCommandFacts(reply, sub);
}

/** A set of status words. */
export function writeWords(reply: ReplyWriter, words: readonly string[]): void {
  reply.set(words.length);
  for (const word of words) reply.simple(word);
}

function writeKeySpec(reply: ReplyWriter, key: KeySpec): void {
  reply.map(key.notes === undefined ? 3 : 4);
  if (key.notes !== undefined) {
    reply.bulkText('notes');
    reply.bulkText(key.notes);
  }
  reply.bulkText('flags');
  writeWords(reply, key.flags);
  reply.bulkText('begin_search');
  writeBegin(reply, key.begin);
  reply.bulkText('find_keys');
  writeFind(reply, key.find);
}

function writeBegin(reply: ReplyWriter, begin: KeySpec['begin']): void {
  if (begin === 'unknown') return writeTyped(reply, 'unknown', []);
  if ('at' in begin) return writeTyped(reply, 'index', [['index', begin.at]]);
  const { keyword, startFrom } = begin;
  writeTyped(reply, 'keyword', [
    ['keyword', keyword],
    ['startfrom', startFrom],
  ]);
}

function writeFind(reply: ReplyWriter, find: KeySpec['find']): void {
  if (find === 'unknown') return writeTyped(reply, 'unknown', []);
  if ('last' in find) {
    return writeTyped(reply, 'range', [
      ['lastkey', find.last],
      ['keystep', find.step],
      ['limit', find.limit],
    ]);
  }
  writeTyped(reply, 'keynum', [
    ['keynumidx', find.countAt],
    ['firstkey', find.first],
    ['keystep', find.step],
  ]);
}

function writeTyped(
  reply: ReplyWriter,
  type: string,
  fields: readonly (readonly [string, number | string])[],
): void {
  reply.map(2);
  reply.bulkText('type');
  reply.bulkText(type);
  reply.bulkText('spec');
  reply.map(fields.length);
  for (const [name, value] of fields) {
    reply.bulkText(name);
    if (typeof value === 'number') reply.int(value);
    else reply.bulkText(value);
  }
}
