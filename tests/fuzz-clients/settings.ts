/** The arguments of the fuzzer of several clients. */
import { parseArgs } from 'node:util';
import { wholeNumber } from '../fuzz-commands/settings.ts';
import { OUR_SERVER, REAL_SERVER, required } from '../interop/harness/programs.ts';

export const USAGE: string = `npm run fuzz:clients -- [options]
  --seed N          the same seed runs the same programs (1)
  --programs N      how many programs (500)
  --from N          number of the first program (0)
  --findings N      end after so many different findings (1)
  --replay FILE     run the program of a file instead of random ones
  --ours EXE        what runs in place of our server
  --real EXE        what runs in place of redis-server`;

export interface Settings {
  readonly seed: number;
  readonly programs: number;
  readonly from: number;
  readonly findings: number;
  readonly replay: string | undefined;
  readonly ours: string;
  readonly real: string;
}

/** Throws an error whose message is for the person who typed. */
export function readSettings(args: readonly string[]): Settings {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string', default: '1' },
      programs: { type: 'string', default: '500' },
      from: { type: 'string', default: '0' },
      findings: { type: 'string', default: '1' },
      replay: { type: 'string' },
      ours: { type: 'string', default: OUR_SERVER },
      real: { type: 'string' },
    },
  });
  return {
    seed: wholeNumber('--seed', values.seed),
    programs: wholeNumber('--programs', values.programs),
    from: wholeNumber('--from', values.from),
    findings: wholeNumber('--findings', values.findings),
    replay: values.replay,
    ours: values.ours,
    real: values.real ?? required(REAL_SERVER, 'redis-server'),
  };
}
