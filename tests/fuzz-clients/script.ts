/** Programs of several clients as text: `2: BLPOP l0 0`, and `2+: PING` for what is also sent while client 2 waits. */
import { lineOf, parseScript as parseLines } from '../fuzz-commands/script.ts';
import { CLIENT_COUNT, type ClientStep, type Program } from './program.ts';

const LINE = /^(?<client>\d+)(?<behind>\+?): (?<command>.+)$/;

export function scriptOf(program: Program): string {
  return program.map(clientLine).join('\n');
}

export function clientLine({ client, isBehind, step }: ClientStep): string {
  return `${client}${isBehind ? '+' : ''}: ${lineOf(step)}`;
}

/** Reads what `scriptOf` wrote, or what somebody typed; lines that begin with # are left out. */
export function parseScript(text: string): Program {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map(parseLine);
}

function parseLine(line: string): ClientStep {
  const { client, behind, command = '' } = LINE.exec(line)?.groups ?? {};
  const [step] = parseLines(command).steps;
  if (step === undefined || Number(client) >= CLIENT_COUNT) {
    throw new Error(`Cannot read line "${line}": no client from 0 to ${CLIENT_COUNT - 1}`);
  }
  return { client: Number(client), isBehind: behind === '+', step };
}
