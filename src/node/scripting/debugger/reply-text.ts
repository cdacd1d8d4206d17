/** Replies of commands as a debugger shows them, from their bytes. Source: behaviour of redis-server 7.0.15. */
import { quoteArgument } from '../../../base/index.ts';

/** How the kinds of lists are shown. */
const LISTS: Readonly<Record<string, readonly [open: string, close: string]>> = {
  '*': ['[', ']'],
  '~': ['~(', ')'],
  '%': ['{', '}'],
};

/**
 * The text of a reply, which is whole, one character a byte.
 * @param sizeMax no more is written once it is so long
 */
export function replyText(bytes: string, sizeMax: number): string {
  const reader = new ReplyText(bytes, sizeMax);
  reader.add();
  return reader.text;
}

class ReplyText {
  readonly #bytes: string;
  readonly #sizeMax: number;
  #at = 0;
  text = '';

  constructor(bytes: string, sizeMax: number) {
    this.#bytes = bytes;
    this.#sizeMax = sizeMax;
  }

  add(): void {
    const line = this.#line();
    const rest = line.slice(1);
    switch (line[0]) {
      case '=':
        // The real one shows nothing of it.
        this.#bulk(Number(rest));
        break;
      case '$':
        this.text +=
          Number(rest) < 0
            ? 'NULL'
            : quoteArgument(this.#bulk(Number(rest)).slice(0, this.#sizeMax + 1));
        break;
      case '+':
      case '-':
        this.text += quoteArgument(line);
        break;
      case '*':
      case '~':
      case '%':
        this.#addList(line[0], Number(rest));
        break;
      case '_':
        this.text += '(null)';
        break;
      case '#':
        this.text += rest === 't' ? '#true' : '#false';
        break;
      case ',':
        this.text += `(double) ${rest}`;
        break;
      default:
        this.text += rest;
    }
  }

  #addList(kind: '*' | '~' | '%', count: number): void {
    if (count < 0) {
      this.text += 'NULL';
      return;
    }
    const [open, close] = LISTS[kind]!;
    this.text += open;
    for (let index = 0; index < count && this.text.length <= this.#sizeMax; index++) {
      if (index > 0) this.text += ',';
      this.add();
      if (kind !== '%') continue;
      this.text += ' => ';
      this.add();
    }
    this.text += close;
  }

  #line(): string {
    const end = this.#bytes.indexOf('\r\n', this.#at);
    const line = this.#bytes.slice(this.#at, end);
    this.#at = end + 2;
    return line;
  }

  #bulk(size: number): string {
    const from = this.#at;
    this.#at += size + 2;
    return this.#bytes.slice(from, from + size);
  }
}
