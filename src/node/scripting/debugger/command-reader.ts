/**
 * Commands of a debugger from the bytes of its client: arrays of short texts, and nothing else. Source: behaviour of
 * redis-server 7.0.15.
 */

/** Arguments of a command, at least 1, and bytes of each, at least 1. Source: 7.0.15. */
export const ARGUMENTS_MAX = 1024;
export const ARGUMENT_BYTES_MAX = 1024;
/** Bytes of a command, whole or not. Source: 7.0.15. */
export const COMMAND_BYTES_MAX: number = 1024 * 1024;
/** Digits of a number: more cannot be one that is allowed. */
const DIGITS_MAX = 8;

export type ReadCommand =
  | { readonly kind: 'command'; readonly args: readonly string[] }
  | { readonly kind: 'more' }
  | { readonly kind: 'refused'; readonly reason: 'malformed' | 'tooLong' };

const MORE: ReadCommand = { kind: 'more' };
const TOO_LONG: ReadCommand = { kind: 'refused', reason: 'tooLong' };
const MALFORMED: ReadCommand = { kind: 'refused', reason: 'malformed' };

export class CommandReader {
  /** One character a byte. */
  #waiting = '';

  get waitingBytes(): number {
    return this.#waiting.length;
  }

  add(bytes: Buffer): void {
    this.#waiting += bytes.toString('latin1');
  }

  /** The next command; after `refused` the reader is of no more use. */
  next(): ReadCommand {
    const text = this.#waiting;
    const head = numberAt(text, 0, '*');
    if (head === undefined) return this.#more();
    if (!isWithin(head.value, ARGUMENTS_MAX)) return MALFORMED;
    const args: string[] = [];
    let at = head.end;
    for (let index = 0; index < head.value; index++) {
      const size = numberAt(text, at, '$');
      if (size === undefined) return this.#more();
      if (!isWithin(size.value, ARGUMENT_BYTES_MAX)) return MALFORMED;
      const end = size.end + size.value;
      if (!'\r\n'.startsWith(text.slice(end, end + 2))) return MALFORMED;
      if (text.length < end + 2) return this.#more();
      args.push(text.slice(size.end, end));
      at = end + 2;
    }
    if (at > COMMAND_BYTES_MAX) return TOO_LONG;
    this.#waiting = text.slice(at);
    return { kind: 'command', args };
  }

  #more(): ReadCommand {
    return this.#waiting.length > COMMAND_BYTES_MAX ? TOO_LONG : MORE;
  }
}

function isWithin(value: number, max: number): boolean {
  return value >= 1 && value <= max;
}

/** The number of a line that begins with a sign; 0 if it is none, undefined if the line is not whole. */
function numberAt(
  text: string,
  at: number,
  sign: string,
): { readonly value: number; readonly end: number } | undefined {
  if (at < text.length && text[at] !== sign) return { value: 0, end: at };
  const end = text.indexOf('\r\n', at);
  if (end < 0) return text.length - at > DIGITS_MAX ? { value: 0, end: at } : undefined;
  const digits = text.slice(at + 1, end);
  return { value: /^\d{1,8}$/.test(digits) ? Number(digits) : 0, end: end + 2 };
}
