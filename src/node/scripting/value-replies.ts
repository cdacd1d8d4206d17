/** Values of a script as replies. Source: behaviour of EVAL of redis-server 7.0.15. */
import { LuaTable, type LuaValue } from '../../lua/index.ts';
import type { ReplyWriter } from '../../resp/index.ts';
import { formatDouble } from '../../base/index.ts';

/** Tables inside each other, beyond which an error stands in the place of what is deeper. Source: 7.0.15, the depth of Lua's C stack. */
const DEPTH_MAX = 7998;
const ERR_TOO_DEEP = 'ERR reached lua stack limit';
const INT64_MIN_TEXT = '-9223372036854775808';
const INT64_BOUND: number = 2 ** 63;
const FORMAT_LENGTH = 3;

/** Elements still to be written, of one of the tables that are inside each other. */
interface Level {
  readonly values: readonly LuaValue[];
  at: number;
  readonly end: number;
}

/** Writes one value; tells how many errors it wrote that nobody has counted yet. */
export class ValueWriter {
  readonly #reply: ReplyWriter;
  /** Whether the script has chosen RESP3, which its booleans then are written in. */
  readonly #hasBooleans: boolean;
  /** The tables whose elements are being written, outermost first: a script may nest them as deep as it likes. */
  readonly #levels: Level[] = [];
  uncountedErrors = 0;

  constructor(reply: ReplyWriter, hasBooleans: boolean) {
    this.#reply = reply;
    this.#hasBooleans = hasBooleans;
  }

  write(value: LuaValue): void {
    this.#begin(value);
    const levels = this.#levels;
    for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
      if (level.at === level.end) levels.pop();
      else this.#begin(level.values[level.at++]);
    }
  }

  /** Writes a value, or of a table what stands before its elements. */
  #begin(value: LuaValue): void {
    const reply = this.#reply;
    switch (typeof value) {
      case 'string':
        return reply.bulkText(value);
      case 'number':
        return writeInteger(reply, value);
      case 'boolean':
        if (this.#hasBooleans) return reply.boolean(value);
        return value ? reply.int(1) : reply.nullBulk();
      default:
        if (value instanceof LuaTable) this.#table(value);
        else reply.nullBulk();
    }
  }

  #table(table: LuaTable): void {
    const reply = this.#reply;
    if (this.#levels.length > DEPTH_MAX) {
      this.uncountedErrors++;
      return reply.error(ERR_TOO_DEEP);
    }
    if (table.keys.length > 0 && this.#named(table)) return;
    const { list } = table;
    const end = list.indexOf(undefined, 1);
    const count = (end < 0 ? list.length : end) - 1;
    reply.array(count);
    this.#levels.push({ values: list, at: 1, end: count + 1 });
  }

  /** A table that says by the name of a field what it is; false when it does not. */
  #named(table: LuaTable): boolean {
    const reply = this.#reply;
    const error = table.getString('err');
    if (typeof error === 'string') {
      if (table.getString('ignore_error_stats_update') !== true) this.uncountedErrors++;
      writeScriptError(reply, error);
      return true;
    }
    const status = table.getString('ok');
    if (typeof status === 'string') {
      reply.simple(inOneLine(status));
      return true;
    }
    const double = table.getString('double');
    if (typeof double === 'number') {
      reply.double(formatDouble(double));
      return true;
    }
    const map = table.getString('map');
    if (map instanceof LuaTable) {
      this.#map(map);
      return true;
    }
    const set = table.getString('set');
    if (set instanceof LuaTable) {
      this.#set(set);
      return true;
    }
    const big = table.getString('big_number');
    if (typeof big === 'string') {
      reply.bigNumber(inOneLine(big));
      return true;
    }
    const verbatim = table.getString('verbatim_string');
    return verbatim instanceof LuaTable && this.#verbatim(verbatim);
  }

  #map(map: LuaTable): void {
    const values: LuaValue[] = [];
    for (let at = map.advance(0); at !== 0; at = map.advance(at)) {
      values.push(map.keyAt(at), map.valueAt(at));
    }
    this.#reply.map(values.length / 2);
    this.#levels.push({ values, at: 0, end: values.length });
  }

  #set(set: LuaTable): void {
    const values: LuaValue[] = [];
    for (let at = set.advance(0); at !== 0; at = set.advance(at)) values.push(set.keyAt(at));
    this.#reply.set(values.length);
    this.#levels.push({ values, at: 0, end: values.length });
  }

  #verbatim(verbatim: LuaTable): boolean {
    const format = verbatim.getString('format');
    const text = verbatim.getString('string');
    if (typeof format !== 'string' || typeof text !== 'string') return false;
    this.#reply.verbatim(format.slice(0, FORMAT_LENGTH), text);
    return true;
  }
}

/** A number without its fraction; what no 64 bits can hold is the smallest number that they can. */
function writeInteger(reply: ReplyWriter, value: number): void {
  const whole = Math.trunc(value);
  if (whole >= -INT64_BOUND && whole < INT64_BOUND) {
    reply.int(Number.isSafeInteger(whole) ? whole + 0 : BigInt(whole));
  } else {
    reply.int(BigInt(INT64_MIN_TEXT));
  }
}

/** An error that a script made up: line breaks at its start become blanks, unlike those at its end, which go. */
export function writeScriptError(reply: ReplyWriter, text: string): void {
  reply.error(
    /^[\r\n]/.test(text) ? text.replace(/^[\r\n]+/, (breaks) => ' '.repeat(breaks.length)) : text,
  );
}

/** Line breaks would end the reply. */
function inOneLine(text: string): string {
  return /[\r\n]/.test(text) ? text.replaceAll(/[\r\n]/g, ' ') : text;
}
