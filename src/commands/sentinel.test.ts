/** Goal: a Sentinel also knows what Valkey 8 and later call its subcommands. Method: the facts and functions of both. */
import { expect, test } from 'vitest';
import { sentinelCommands } from './sentinel.ts';

const [container] = sentinelCommands;
const byName = new Map(container?.subcommands?.map((sub) => [sub.name, sub]));

test.each([
  ['primary', 'master'],
  ['primaries', 'masters'],
  ['get-primary-addr-by-name', 'get-master-addr-by-name'],
  ['is-primary-down-by-addr', 'is-master-down-by-addr'],
])('SENTINEL %s does what %s does', (name, ours) => {
  const { name: _name, since, ...rest } = byName.get(name)!;
  const { name: _ours, since: _since, ...expected } = byName.get(ours)!;
  expect(rest).toEqual(expected);
  expect(since).toBe('8.0.0');
});
