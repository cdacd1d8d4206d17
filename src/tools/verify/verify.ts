/** `slotline verify`: whether two deployments hold the same data, and what differs. */
import { Deployment, type DeploymentOptions } from '../../client/index.ts';
import { asToolError } from '../errors.ts';
import type { ExitStatus } from '../errors.ts';
import { type Databases, Gate, databasePairs } from '../flow/index.ts';
import type { Screen } from '../screen.ts';
import { type Finding, showOutcome } from './report.ts';
import { repairKey } from './repair.ts';
import { Rounds, type RoundsOptions, type Suspect } from './rounds.ts';
import type { Side } from '../flow/index.ts';

export interface VerifyOptions extends Omit<RoundsOptions, 'source' | 'target' | 'pairs'> {
  readonly source: DeploymentOptions;
  readonly target: DeploymentOptions;
  readonly databases: Databases;
  /** The side that is changed where it differs. */
  readonly repair: 'source' | 'target' | undefined;
}

const PROGRESS_MS = 2000;
const REPAIRS_MAX = 16;

/** Status 0 when both are equal (or were made so), 1 when they differ, 3 when it was broken off. Throws ToolError. */
export async function verify(options: VerifyOptions, screen: Screen): Promise<ExitStatus> {
  const startedMs = performance.now();
  const source = await opened(options.source);
  const target = await opened(options.target);
  try {
    const pairs = await databasePairs(source, target, options.databases);
    const rounds = new Rounds({ ...options, source, target, pairs });
    const timer = setInterval(() => showProgress(rounds, screen), PROGRESS_MS);
    try {
      const suspects = await rounds.run();
      const findings = await repaired(suspects, { options, rounds, source, target });
      const seconds = (performance.now() - startedMs) / 1000;
      const isFinished = !options.signal.aborted;
      showOutcome({ progress: rounds.progress, findings, isFinished, seconds }, screen);
      if (!isFinished) return 3;
      return findings.every(({ repair }) => repair === 'done') ? 0 : 1;
    } finally {
      clearInterval(timer);
    }
  } catch (error) {
    throw asToolError(error);
  } finally {
    source.close();
    target.close();
  }
}

async function opened(options: DeploymentOptions): Promise<Deployment> {
  try {
    return await Deployment.open(options);
  } catch (error) {
    throw asToolError(error);
  }
}

function showProgress({ progress }: Rounds, screen: Screen): void {
  const { round, sourceKeys, targetKeys, suspects } = progress;
  screen.note(
    `round ${round}: ${sourceKeys} keys of the source, ${targetKeys} of the target, ${suspects} differ`,
  );
  screen.event({ event: 'progress', ...progress });
}

interface RepairSetting {
  readonly options: VerifyOptions;
  readonly rounds: Rounds;
  readonly source: Deployment;
  readonly target: Deployment;
}

/** Repairs where that was asked for, and looks at each key once more. */
async function repaired(suspects: readonly Suspect[], setting: RepairSetting): Promise<Finding[]> {
  const { options, rounds, source, target } = setting;
  const findings: Finding[] = [];
  const gate = new Gate(REPAIRS_MAX);
  for (const suspect of suspects) {
    if (options.repair === undefined || options.signal.aborted) {
      findings.push({ ...suspect, repair: 'none' });
      continue;
    }
    const { pair, key } = suspect;
    const sides: Side[] = [
      { deployment: source, db: pair.source },
      { deployment: target, db: pair.target },
    ];
    const [model, copy] = options.repair === 'target' ? sides : sides.toReversed();
    await gate.start(async () => {
      if (model === undefined || copy === undefined) return;
      const refusal = await repairKey(model, copy, key);
      const rest = await rounds.judgeOf(pair).judge(key);
      const difference =
        refusal === undefined ? suspect.difference : { ...suspect.difference, detail: refusal };
      findings.push({ pair, key, difference, repair: rest === undefined ? 'done' : 'failed' });
    });
  }
  await gate.drain();
  return findings;
}
