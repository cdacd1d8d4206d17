/** Programs as text: lines that redis-cli reads, and back. */
import { splitArguments } from '../../src/base/index.ts';
import type { Program, Step } from './program.ts';

const PLAIN = /^[\w.:*+>~$@%=,[\](){}-]+$/;
const HEADER = /^# resp(?<protocol>[23]) events=(?<events>\w*)$/m;

/** A line for redis-cli; what is not plain is quoted. */
export function lineOf(step: Step): string {
  return step.map(quoted).join(' ');
}

function quoted(arg: Buffer): string {
  const text = arg.toString('latin1');
  if (PLAIN.test(text)) return text;
  const escaped = text.replace(/["\\]/g, '\\$&').replace(/[^\x20-\x7e]/g, (char) => {
    return `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
  return `"${escaped}"`;
}

export function scriptOf({ protocol, events, steps }: Program): string {
  return [`# resp${protocol} events=${events}`, ...steps.map(lineOf)].join('\n');
}

/** Reads what `scriptOf` wrote, or lines that somebody typed. */
export function parseScript(text: string): Program {
  const header = HEADER.exec(text)?.groups;
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
  const steps = lines.map((line) => {
    const words = splitArguments(line);
    if (words === undefined) throw new Error(`Cannot read line "${line}": quotes are not balanced`);
    return words.map((word) => Buffer.from(word, 'latin1'));
  });
  return {
    protocol: header?.['protocol'] === '3' ? 3 : 2,
    events: header?.['events'] ?? '',
    steps,
  };
}
