/** The name of a key of a database as a text, for maps: one character a byte. */
export function keyName(dbIndex: number, buf: Uint8Array, at: number, size: number): string {
  let name = `${dbIndex}:`;
  for (let i = at; i < at + size; i++) name += String.fromCharCode(buf[i]!);
  return name;
}
