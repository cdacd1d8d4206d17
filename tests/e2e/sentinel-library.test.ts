/**
 * Goal: the library starts a master with replicas and Sentinels inside a program, they fail over fast, and nothing is left
 * behind. Method: real ports, and the faults of the library.
 */
import { expect, test } from 'vitest';
import { replyText } from '../../src/client/index.ts';
import { LibraryError, type LocalSentinels, startSentinel } from '../../src/index.ts';

function mastersOf(set: LocalSentinels): number {
  return set.nodes.filter((node) => node.role() === 'master').length;
}

test('a master that is killed is replaced, and follows when it is back', async () => {
  await using set = await startSentinel();
  const [first] = set.nodes;
  expect(set.master()).toBe(first);
  expect(set.addresses).toHaveLength(3);
  await first!.call('SET', 'key', 'value');
  await set.kill(first!);
  await set.waitFor(() => set.master() !== undefined && set.master() !== first);
  expect(replyText(await set.master()!.call('GET', 'key'))).toBe('value');
  await set.restart(first!);
  await set.waitFor('ok');
  expect(mastersOf(set)).toBe(1);
  const kinds = set.timeline.map(({ kind }) => kind);
  for (const kind of ['sdown', 'odown', 'vote', 'leader', 'switched'])
    expect(kinds).toContain(kind);
});

test('a coordinated failover, a hung master and one cut off from all Sentinels', async () => {
  await using set = await startSentinel({ replicas: 1 });
  const [first, second] = set.nodes;
  await set.failover();
  expect(set.master()).toBe(second);
  await set.waitFor('ok');
  set.pause(second!);
  await set.waitFor(() => set.master() === first);
  set.resume(second!);
  await set.waitFor('ok');
  set.partition([[first!], [second!, ...set.sentinels]]);
  await set.waitFor(() => set.master() === second);
  set.heal();
  await set.waitFor('ok');
  expect(mastersOf(set)).toBe(1);
});

test('a Sentinel that dies comes back with what it knew; options that cannot be are refused', async () => {
  const set = await startSentinel({ replicas: 0, sentinels: 1, name: 'other' });
  const [sentinel] = set.sentinels;
  const id = replyText(await sentinel!.call('SENTINEL', 'MYID'));
  await set.kill(sentinel!);
  await set.restart(sentinel!);
  expect(replyText(await sentinel!.call('SENTINEL', 'MYID'))).toBe(id);
  await set.stop();
  await expect(set.failover()).rejects.toBeInstanceOf(LibraryError);
  await expect(startSentinel({ timeScale: 0 })).rejects.toMatchObject({ code: 'BAD_OPTION' });
  await expect(startSentinel({ sentinels: 0 })).rejects.toMatchObject({ code: 'BAD_OPTION' });
});
