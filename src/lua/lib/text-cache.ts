/** What was made of a text once, for the next call with the same text: programs have few patterns and formats. */

/** Texts that are kept; when there are more, all begins anew. */
const TEXTS_MAX = 500;
/** Longer ones are not worth their place. */
const TEXT_BYTES_MAX = 200;

export class TextCache<T> {
  readonly #make: (text: string) => T;
  readonly #known = new Map<string, T>();
  #lastText: string | undefined = undefined;
  #last: T | undefined = undefined;

  constructor(make: (text: string) => T) {
    this.#make = make;
  }

  get(text: string): T {
    if (text === this.#lastText) return this.#last!;
    let value = this.#known.get(text);
    if (value === undefined) {
      value = this.#make(text);
      if (text.length > TEXT_BYTES_MAX) return value;
      if (this.#known.size >= TEXTS_MAX) this.#known.clear();
      this.#known.set(text, value);
    }
    this.#lastText = text;
    this.#last = value;
    return value;
  }
}
