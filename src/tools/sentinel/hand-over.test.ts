/** Goal: masters that know no FAILOVER are not asked for it. Method: what INFO-CACHE tells of old and new ones. */
import { expect, test } from 'vitest';
import type { Reply } from '../../resp/index.ts';
import { tellsOfFailover } from './hand-over.ts';

function cached(...infos: readonly (string | null)[]): Reply {
  return [
    Buffer.from('mymaster'),
    infos.map((info) => [12, info === null ? null : Buffer.from(info)]),
  ];
}

test('only the INFO of the master itself counts', () => {
  // As Redis 6.0.16 and 7.0.15 tell it.
  const older = '# Replication\r\nrole:master\r\nconnected_slaves:1\r\nmaster_replid:0\r\n';
  const newer = '# Replication\r\nrole:master\r\nmaster_failover_state:no-failover\r\n';
  expect(tellsOfFailover(cached(newer, older))).toBe(true);
  expect(tellsOfFailover(cached(older, newer))).toBe(false);
  expect(tellsOfFailover(cached(null, newer))).toBe(false);
  expect(tellsOfFailover([])).toBe(false);
});
