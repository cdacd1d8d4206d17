import { redisRules, type ClusterRules } from '../src/cluster/index.ts';
import { runSeed, violationText } from './index.ts';
const faults: Record<string, Partial<ClusterRules>> = {
  vote: { voteRefusal: (f) => { const r = redisRules.voteRefusal(f); return r === 'alreadyVoted' || r === 'votedForMasterRecently' ? undefined : r; } },
  persist: { persistsBeforeSpeaking: () => false },
  caught: { isCaughtUp: () => true },
  stale: { isNewerOwner: () => true },
  yields: { yieldsSlots: () => false },
};
for (const [name, rule] of Object.entries(faults)) {
  if (process.argv[2] && process.argv[2] !== name) continue;
  const found: string[] = [];
  const t0 = Date.now();
  const N = Number(process.argv[3] ?? 25);
  for (let seed = 1; seed <= N; seed++) {
    const r = runSeed(seed, { rules: { ...redisRules, ...rule } });
    if (r.violations.length > 0) found.push(`${seed} ${r.kind} ${violationText(r.violations[0]!).slice(0, 150)}`);
  }
  console.log(name, found.length, Date.now() - t0);
  console.log(found.slice(0, 12).join('\n'));
}
