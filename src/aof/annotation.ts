/** Annotations: lines between the commands of an append-only file that begin with `#`. */

const HASH = 0x23;
const TIMESTAMP = '#TS:';

/** `#TS:` and the time in seconds, which aof-timestamp-enabled puts before commands. */
export function timestampAnnotation(unixSeconds: number): string {
  return `${TIMESTAMP}${unixSeconds}\r\n`;
}

/** Whether an annotation begins with this byte. */
export function isAnnotation(byte: number | undefined): boolean {
  return byte === HASH;
}

/** Unix seconds of a timestamp annotation, given without its line end; undefined for any other annotation. */
export function timestampOf(line: string): number | undefined {
  const digits = line.slice(TIMESTAMP.length);
  return line.startsWith(TIMESTAMP) && /^\d{1,15}$/.test(digits) ? Number(digits) : undefined;
}
