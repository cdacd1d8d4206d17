/** Values of a script as a debugger shows them. Source: behaviour of redis-server 7.0.15. */
import { quoteArgument } from '../../../base/index.ts';
import {
  LuaTable,
  LuaUserdata,
  type LuaValue,
  formatGeneral,
  typeName,
} from '../../../lua/index.ts';

/** Tables inside each other; what is deeper is not shown, as a table may be inside itself. */
const DEPTH_MAX = 10;
const TOO_DEEP = '<max recursion level reached! Nested table?>';
const NUMBER_DIGITS = 6;

/**
 * The text of a value.
 * @param addressOf what tells two values apart that have no text: `function: 0x…`
 * @param sizeMax no more is written once it is so long
 */
export function valueText(
  value: LuaValue,
  addressOf: (value: LuaValue) => string,
  sizeMax: number,
): string {
  const writer = new ValueText(addressOf, sizeMax);
  writer.add(value, 0);
  return writer.text;
}

class ValueText {
  readonly #addressOf: (value: LuaValue) => string;
  readonly #sizeMax: number;
  text = '';

  constructor(addressOf: (value: LuaValue) => string, sizeMax: number) {
    this.#addressOf = addressOf;
    this.#sizeMax = sizeMax;
  }

  add(value: LuaValue, depth: number): void {
    if (depth === DEPTH_MAX) this.text += TOO_DEEP;
    else if (value instanceof LuaTable) this.#addTable(value, depth + 1);
    else this.text += this.#plain(value);
  }

  #plain(value: LuaValue): string {
    if (value === undefined) return 'nil';
    if (typeof value === 'boolean') return String(value);
    if (typeof value === 'number') return formatGeneral(value, NUMBER_DIGITS);
    // Quoted it is no shorter.
    if (typeof value === 'string') return quoteArgument(value.slice(0, this.#sizeMax + 1));
    const address = this.#addressOf(value).replace(/^.*: /, '');
    // There is one kind of userdata, and all of it is light.
    const type = value instanceof LuaUserdata ? 'light-userdata' : typeName(value);
    return `"${type}@${address}"`;
  }

  #addTable(table: LuaTable, depth: number): void {
    const isList = keysAreList(table);
    this.text += '{';
    let isFirst = true;
    for (let at = table.advance(0); at !== 0; at = table.advance(at)) {
      if (this.text.length > this.#sizeMax) break;
      if (!isFirst) this.text += '; ';
      isFirst = false;
      if (!isList) {
        this.text += '[';
        this.add(table.keyAt(at), depth);
        this.text += ']=';
      }
      this.add(table.valueAt(at), depth);
    }
    this.text += '}';
  }
}

/** Whether the keys are 1, 2, 3 … in this order. */
function keysAreList(table: LuaTable): boolean {
  let expected = 1;
  for (let at = table.advance(0); at !== 0; at = table.advance(at)) {
    if (table.keyAt(at) !== expected++) return false;
  }
  return true;
}
