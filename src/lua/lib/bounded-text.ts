/** Texts that grow, which is refused beyond the size that a text of the server may have. */
import { callError } from './arguments.ts';

/** Longest text that a function makes, in bytes: what a text of the engine below can be. */
const TEXT_BYTES_MAX = 512 * 1024 * 1024 - 25;

/** Fails for a text of so many bytes. */
export function checkBytes(bytes: number): void {
  if (bytes > TEXT_BYTES_MAX) throw callError('resulting string too large');
}

/** Both texts as one. */
export function appended(text: string, more: string): string {
  checkBytes(text.length + more.length);
  return text + more;
}

/** The text with what an expression finds replaced by texts, of which each is far from the limit. */
export function escaped(text: string, found: RegExp, escape: (char: string) => string): string {
  try {
    return text.replace(found, escape);
  } catch (error) {
    if (error instanceof RangeError) checkBytes(Infinity);
    throw error;
  }
}
