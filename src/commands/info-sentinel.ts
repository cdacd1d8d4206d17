/** Fields of INFO sentinel. Source: INFO of redis-sentinel 7.0.15. */
import { invariant } from '../base/index.ts';
import { type CrashPoint, type Master, runningScripts } from '../sentinel/index.ts';
import type { InfoFields } from './info-fields.ts';
import type { Server } from './server.ts';

const CRASH_BITS: Readonly<Record<CrashPoint, number>> = {
  'crash-after-election': 1,
  'crash-after-promotion': 2,
};

export function sentinelFields({ sentinel }: Server): InfoFields {
  invariant(sentinel !== undefined, 'only Sentinels have the section');
  const c = sentinel.context;
  let crashBits = 0;
  for (const point of c.crashPoints) crashBits |= CRASH_BITS[point];
  const tiltSeconds = c.tiltSince === undefined ? -1 : Math.floor(c.since(c.tiltSince) / 1000);
  return [
    ['sentinel_masters', c.masters.size],
    ['sentinel_tilt', c.isTilted ? 1 : 0],
    ['sentinel_tilt_since_seconds', tiltSeconds],
    ['sentinel_running_scripts', runningScripts(c)],
    ['sentinel_scripts_queue_length', c.scripts.length],
    ['sentinel_simulate_failure_flags', crashBits],
    ...[...c.masters.values()].map((master, i) => {
      const { address, name, replicas, sentinels } = master;
      const where = `${c.announced(address)}:${address.port}`;
      const counts = `slaves=${replicas.size},sentinels=${sentinels.size + 1}`;
      return [
        `master${i}`,
        `name=${name},status=${statusOf(master)},address=${where},${counts}`,
      ] as const;
    }),
  ];
}

function statusOf({ odownSince, sdownSince }: Master): string {
  if (odownSince !== undefined) return 'odown';
  return sdownSince === undefined ? 'ok' : 'sdown';
}
