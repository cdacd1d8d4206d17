/** Bytes as the text of a script: one character a byte. */

/** Longer texts are read faster by the runtime than a byte at a time. */
const SHORT_BYTES = 12;

/** The text of `buf[at, at + size)`. */
export function latin1(buf: Buffer, at: number, size: number): string {
  if (size > SHORT_BYTES) return buf.toString('latin1', at, at + size);
  let text = '';
  for (let i = at; i < at + size; i++) text += String.fromCharCode(buf[i]!);
  return text;
}
