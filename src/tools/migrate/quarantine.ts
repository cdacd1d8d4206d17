/** Commands that could not be carried out: a line of JSON each in a file, and a count by reason. */
import { appendFileSync } from 'node:fs';

const REASON_SHOWN_MAX = 120;
/** Of a long argument the file has the beginning. */
const ARGUMENT_BYTES_MAX = 4096;

export class Quarantine {
  readonly path: string;
  count = 0;
  readonly byReason: Map<string, number> = new Map();

  /** The file is made with the first command. */
  constructor(path: string) {
    this.path = path;
  }

  add(args: readonly Buffer[], db: number, reason: string): void {
    this.count++;
    const name = args[0]?.toString('latin1').toUpperCase() ?? '';
    const group = `${name}: ${reason}`.slice(0, REASON_SHOWN_MAX);
    this.byReason.set(group, (this.byReason.get(group) ?? 0) + 1);
    const line = { db, reason, command: args.map(argumentJson) };
    appendFileSync(this.path, `${JSON.stringify(line)}\n`, { mode: 0o600 });
  }
}

/** As text where it is UTF-8. */
function argumentJson(argument: Buffer): string | object {
  const shown = argument.subarray(0, ARGUMENT_BYTES_MAX);
  const text = shown.toString();
  const isWhole = shown.length === argument.length;
  if (isWhole && Buffer.from(text).equals(shown)) return text;
  return { base64: shown.toString('base64'), ...(isWhole ? {} : { bytes: argument.length }) };
}
