/** What a running `slotline migrate run --json` says of itself. */
import type { Running } from './slotline.ts';

/** Whether the last word about every master is that it is followed. */
export function isFollowing(run: Running): boolean {
  const phases = new Map<string, string>();
  for (const line of run.stdout().split('\n')) {
    const match =
      /"event":"(?:progress|phase)","source":"([^"]+)",(?:"follows":"[^"]+",)?"phase":"([^"]+)"/.exec(
        line,
      );
    if (match !== null) phases.set(match[1] ?? '', match[2] ?? '');
  }
  return phases.size > 0 && [...phases.values()].every((phase) => phase === 'following');
}
