/** Bytes as JSON: text where they are UTF-8. */
export function jsonText({
  buf,
  at,
  size,
}: {
  readonly buf: Uint8Array;
  readonly at: number;
  readonly size: number;
}): string {
  const bytes = Buffer.from(buf.buffer, buf.byteOffset + at, size);
  const text = bytes.toString();
  if (!text.includes('\ufffd') || Buffer.from(text).equals(bytes)) return JSON.stringify(text);
  return JSON.stringify({ base64: bytes.toString('base64') });
}
