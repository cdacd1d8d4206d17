/** The few commands that replication itself writes, as bytes. */

/** A command as RESP arrays have it. */
export function encodeCommand(...words: readonly string[]): Buffer {
  let text = `*${words.length}\r\n`;
  for (const word of words) text += `$${Buffer.byteLength(word)}\r\n${word}\r\n`;
  return Buffer.from(text);
}

export const PING_COMMAND: Buffer = encodeCommand('PING');
export const GETACK_COMMAND: Buffer = encodeCommand('REPLCONF', 'GETACK', '*');
export const NEWLINE: Buffer = Buffer.from('\n');

/** Hexadecimal digits of the mark that ends a snapshot of unknown size. */
export const EOF_MARK_SIZE = 40;
