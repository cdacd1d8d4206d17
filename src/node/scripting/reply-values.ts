/** Replies of commands as values of a script. */
import { InvariantError } from '../../base/index.ts';
import { LuaTable, type LuaValue } from '../../lua/index.ts';
import { latin1 } from './latin1.ts';

const CR = 0x0d;
const MINUS = 0x2d;
const ZERO = 0x30;

/** Shared by all tables of one field; see `LuaTable.adoptFields`. */
const FIELD_OK: LuaValue[] = ['ok'];
const FIELD_MAP: LuaValue[] = ['map'];
const FIELD_SET: LuaValue[] = ['set'];
const FIELD_DOUBLE: LuaValue[] = ['double'];
const FIELD_BIG_NUMBER: LuaValue[] = ['big_number'];
const FIELD_VERBATIM: LuaValue[] = ['verbatim_string'];
const FIELDS_FORMAT: LuaValue[] = ['format', 'string'];

/** Reads one reply after another out of bytes that this server has written: they are whole and well formed. */
export class ReplyReader {
  #buf: Buffer = Buffer.alloc(0);
  #at = 0;

  /** The reply that begins at `buf[0]`, which is no error. */
  read(buf: Buffer): LuaValue {
    this.#buf = buf;
    this.#at = 0;
    return this.#value();
  }

  #value(): LuaValue {
    switch (this.#buf[this.#at++]) {
      case 0x24: // $
        return this.#bulk();
      case 0x3a: // :
        return this.#integer();
      case 0x2b: // +
        return new LuaTable().adoptFields(FIELD_OK, [this.#line()]);
      case 0x2a: // *
        return this.#array();
      case 0x5f: // _
        this.#at += 2;
        return undefined;
      case 0x25: // %
        return new LuaTable().adoptFields(FIELD_MAP, [this.#map()]);
      case 0x7e: // ~
        return new LuaTable().adoptFields(FIELD_SET, [this.#set()]);
      case 0x2c: // ,
        return new LuaTable().adoptFields(FIELD_DOUBLE, [doubleOf(this.#line())]);
      case 0x23: // #
        return this.#line() === 't';
      case 0x28: // (
        return new LuaTable().adoptFields(FIELD_BIG_NUMBER, [this.#line()]);
      case 0x3d: // =
        return this.#verbatim();
      case 0x2d: // -
        return errorTable(this.#line());
      case 0x7c: // |
        this.#map();
        return this.#value();
      default:
        throw new InvariantError('a reply begins with a type that there is');
    }
  }

  #bulk(): LuaValue {
    const size = this.#integer();
    if (size < 0) return false;
    const at = this.#at;
    this.#at = at + size + 2;
    return latin1(this.#buf, at, size);
  }

  #array(): LuaValue {
    const count = this.#integer();
    if (count < 0) return false;
    const list: LuaValue[] = [undefined];
    for (let i = 0; i < count; i++) list.push(this.#value());
    return new LuaTable().adoptList(list);
  }

  #map(): LuaTable {
    const table = new LuaTable();
    for (let i = this.#integer(); i > 0; i--) {
      const key = this.#value();
      const value = this.#value();
      if (key !== undefined) table.set(key, value);
    }
    return table;
  }

  #set(): LuaTable {
    const table = new LuaTable();
    for (let i = this.#integer(); i > 0; i--) {
      const member = this.#value();
      if (member !== undefined) table.set(member, true);
    }
    return table;
  }

  #verbatim(): LuaValue {
    const size = this.#integer();
    const at = this.#at;
    this.#at = at + size + 2;
    const parts = [latin1(this.#buf, at, 3), latin1(this.#buf, at + 4, size - 4)];
    const inner = new LuaTable().adoptFields(FIELDS_FORMAT, parts);
    return new LuaTable().adoptFields(FIELD_VERBATIM, [inner]);
  }

  /** A whole number up to the end of the line; large ones lose their last digits, as all numbers of Lua do. */
  #integer(): number {
    const buf = this.#buf;
    const isNegative = buf[this.#at] === MINUS;
    if (isNegative) this.#at++;
    let value = 0;
    for (let byte = buf[this.#at++]!; byte !== CR; byte = buf[this.#at++]!) {
      value = value * 10 + byte - ZERO;
    }
    this.#at++;
    return isNegative ? -value : value;
  }

  #line(): string {
    const at = this.#at;
    const end = this.#buf.indexOf(CR, at);
    this.#at = end + 2;
    return latin1(this.#buf, at, end - at);
  }
}

const FIELDS_ERROR: LuaValue[] = ['err', 'ignore_error_stats_update'];

/** An error that has been counted where it arose. */
export function errorTable(text: string): LuaTable {
  return new LuaTable().adoptFields(FIELDS_ERROR, [text, true]);
}

function doubleOf(text: string): number {
  if (text === 'inf') return Infinity;
  return text === '-inf' ? -Infinity : Number(text);
}
