/**
 * MessagePack as values, as `cmsgpack` reads it: binary and extension types are unknown to it, and 64-bit
 * integers are signed. Source: the MessagePack specification; behaviour of redis-server 7.0.15.
 */
import { LuaError, LuaTable, type LuaValue } from '../values.ts';
import { callError } from '../arguments.ts';
import { readDouble, readFloat, readUnsigned, readUnsigned64 } from './byte-text.ts';

/** Deeper nesting is refused: one level is one call here. Divergence: there it is about 4,000. */
const DEPTH_MAX = 1500;

export class MsgpackReader {
  readonly #text: string;
  /** Where the next value begins. */
  at: number;
  #depth = 0;

  constructor(text: string, at: number) {
    this.#text = text;
    this.at = at;
  }

  get isAtEnd(): boolean {
    return this.at >= this.#text.length;
  }

  read(): LuaValue {
    const first = this.#unsigned(1);
    if (first < 0x80) return first;
    if (first >= 0xe0) return first - 0x100;
    if (first < 0x90) return this.#map(first & 0x0f);
    if (first < 0xa0) return this.#array(first & 0x0f);
    if (first < 0xc0) return this.#string(first & 0x1f);
    return this.#byType(first);
  }

  #byType(first: number): LuaValue {
    switch (first) {
      case 0xc0:
        return undefined;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xca:
        return readFloat(this.#text, this.#take(4));
      case 0xcb:
        return readDouble(this.#text, this.#take(8));
      case 0xcc:
      case 0xcd:
      case 0xce:
        return this.#unsigned(1 << (first - 0xcc));
      case 0xd0:
      case 0xd1:
      case 0xd2:
        return this.#signed(1 << (first - 0xd0));
      case 0xcf:
      case 0xd3:
        return Number(BigInt.asIntN(64, readUnsigned64(this.#text, this.#take(8), 8)));
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.#string(this.#unsigned(1 << (first - 0xd9)));
      case 0xdc:
      case 0xdd:
        return this.#array(this.#unsigned(2 << (first - 0xdc)));
      case 0xde:
      case 0xdf:
        return this.#map(this.#unsigned(2 << (first - 0xde)));
      default:
        throw callError('Bad data format in input.');
    }
  }

  /** Goes on by so many bytes, and answers where they begin. */
  #take(size: number): number {
    const { at } = this;
    if (size > this.#text.length - at) throw callError('Missing bytes in input.');
    this.at += size;
    return at;
  }

  #unsigned(size: number): number {
    return readUnsigned(this.#text, this.#take(size), size);
  }

  #signed(size: number): number {
    const shift = 32 - 8 * size;
    return (this.#unsigned(size) << shift) >> shift;
  }

  #string(length: number): string {
    const at = this.#take(length);
    return this.#text.slice(at, at + length);
  }

  #array(count: number): LuaTable {
    this.#descend('array');
    const table = new LuaTable();
    for (let index = 1; index <= count; index++) table.setIndex(index, this.read());
    this.#depth--;
    return table;
  }

  #map(count: number): LuaTable {
    this.#descend('hash');
    const table = new LuaTable();
    for (let i = 0; i < count; i++) {
      const key = this.read();
      const value = this.read();
      if (key === undefined) throw new LuaError('table index is nil');
      if (Number.isNaN(key)) throw new LuaError('table index is NaN');
      table.set(key, value);
    }
    this.#depth--;
    return table;
  }

  #descend(kind: 'array' | 'hash'): void {
    if (++this.#depth > DEPTH_MAX) {
      throw callError(`stack overflow (in function mp_decode_to_lua_${kind})`);
    }
  }
}
