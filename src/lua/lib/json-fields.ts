/**
 * The names of the fields of JSON objects, kept from one object to the next: objects mostly have the same names in the
 * same order, so that their tables share one list of keys, and a name that comes as expected need not be cut out again.
 * The lists form a tree, in which each step is one more name.
 */

/** Longest list: what a table takes over as it is. */
const FIELDS_MAX = 8;
/** Longer names are not kept. */
const NAME_BYTES_MAX = 40;
/** Lists that are kept; behind the text that makes so many, all begins anew. */
const LISTS_MAX = 1000;

/** A list of names, and those that are longer by one. */
export class FieldList {
  /** Shared by tables, and never changed. */
  readonly names: string[];
  readonly #next = new Map<string, FieldList>();
  /** The name that came next the last time, and the list with it. */
  lastName = '';
  #lastList: FieldList | undefined = undefined;

  constructor(names: string[]) {
    this.names = names;
  }

  /** The list with `lastName`. */
  get last(): FieldList | undefined {
    return this.#lastList;
  }

  /** The list with one more name; undefined where none is kept: it is too long, or the name is there already. */
  with(name: string): FieldList | undefined {
    let list = this.#next.get(name);
    if (list === undefined) {
      const { names } = this;
      const isKept = names.length < FIELDS_MAX && name.length <= NAME_BYTES_MAX;
      if (!isKept || listCount >= LISTS_MAX || names.includes(name)) return undefined;
      list = new FieldList([...names, internalized(name)]);
      listCount++;
      this.#next.set(name, list);
    }
    this.lastName = list.names.at(-1)!;
    this.#lastList = list;
    return list;
  }
}

let root = new FieldList([]);
let listCount = 0;

/** The list of no names, at the beginning of a text. */
export function fieldLists(): FieldList {
  if (listCount >= LISTS_MAX) {
    root = new FieldList([]);
    listCount = 0;
  }
  return root;
}

/** The same text as the engine below keeps names of its own: compared at once, and no part of a longer text. */
function internalized(name: string): string {
  return Object.keys({ [name]: true })[0]!;
}
