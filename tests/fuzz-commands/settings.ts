/** The arguments of the fuzzer. */
import { parseArgs } from 'node:util';
import { OUR_SERVER, REAL_SERVER, required } from '../interop/harness/programs.ts';
import { GROUP_NAMES } from './generator.ts';

export const USAGE: string = `npm run fuzz:commands -- [options]
  --seed N          the same seed runs the same programs (1)
  --commands N      how many commands in all (1000000)
  --from N          number of the first program (0)
  --groups a,b      of ${GROUP_NAMES.join(', ')} (all)
  --findings N      end after so many different findings (1)
  --replay FILE     run the program of a file instead of random ones
  --replicas        compare a replica of each server as well
  --ours EXE        what runs in place of our server
  --real EXE        what runs in place of redis-server`;

export interface Settings {
  readonly seed: number;
  readonly commands: number;
  readonly from: number;
  readonly groups: ReadonlySet<string>;
  readonly findings: number;
  readonly replay: string | undefined;
  readonly hasReplicas: boolean;
  readonly ours: string;
  readonly real: string;
}

/** What was typed behind the program, or the end of it with status 2, the reason and the usage. */
export function settingsOrExit<T>(read: (args: readonly string[]) => T, usage: string): T {
  try {
    return read(process.argv.slice(2));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
    return process.exit(2);
  }
}

/** Throws an error whose message is for the person who typed. */
export function readSettings(args: readonly string[]): Settings {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string', default: '1' },
      commands: { type: 'string', default: '1000000' },
      from: { type: 'string', default: '0' },
      groups: { type: 'string', default: GROUP_NAMES.join() },
      findings: { type: 'string', default: '1' },
      replay: { type: 'string' },
      replicas: { type: 'boolean', default: false },
      ours: { type: 'string', default: OUR_SERVER },
      real: { type: 'string' },
    },
  });
  const groups = values.groups.split(',');
  const unknown = groups.filter((name) => !GROUP_NAMES.includes(name));
  if (unknown.length > 0) throw new Error(`There is no group "${unknown.join()}"`);
  return {
    seed: wholeNumber('--seed', values.seed),
    commands: wholeNumber('--commands', values.commands),
    from: wholeNumber('--from', values.from),
    groups: new Set(groups),
    findings: wholeNumber('--findings', values.findings),
    replay: values.replay,
    hasReplicas: values.replicas,
    ours: values.ours,
    real: values.real ?? required(REAL_SERVER, 'redis-server'),
  };
}

/** The value of an option; throws an error for the person who typed. */
export function wholeNumber(option: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new Error(`${option} needs a whole number from 0`);
  }
  return value;
}
