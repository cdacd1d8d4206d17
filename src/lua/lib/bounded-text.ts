/** Texts that grow, which is refused beyond the size that a text of the server may have. */
import { callError } from '../arguments.ts';

/** Longest text that a function makes, in bytes: what a text of the engine below can be. */
export const TEXT_BYTES_MAX: number = 512 * 1024 * 1024 - 25;

/** Fails for a text of so many bytes. */
export function checkBytes(bytes: number): void {
  if (bytes > TEXT_BYTES_MAX) throw callError('resulting string too large');
}

/** Both texts as one. */
export function appended(text: string, more: string): string {
  checkBytes(text.length + more.length);
  return text + more;
}

/** What a function answers, unless some text in it became larger than any can be. */
export function unlessTooLarge<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    // The engine says the same by this error, whose other kind is the end of its stack.
    if (error instanceof RangeError && error.message === 'Invalid string length') {
      checkBytes(Infinity);
    }
    throw error;
  }
}
