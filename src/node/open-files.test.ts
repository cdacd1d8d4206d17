import { expect, test } from 'vitest';
import { ConfigStore, loadConfig } from '../config/index.ts';
import { fitMaxclients, maxclientsRefusal } from './open-files.ts';

function host(openFilesMax: number | undefined, text = '') {
  const reader = { read: () => ({ error: 'no files here' }), expand: (path: string) => [path] };
  const loaded = loadConfig({ text, reader, isSentinel: false });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.failure));
  const config = new ConfigStore(loaded.config.settings);
  const logs: string[] = [];
  return {
    config,
    settings: config.settings,
    ports: { system: { openFilesMax } },
    logs,
    log: (_level: string, line: string) => void logs.push(line),
  };
}

test('as many clients are let in as there are files for them', () => {
  const node = host(1024);
  expect(fitMaxclients(node)).toBe(undefined);
  expect(node.settings.maxclients).toBe(960);
  expect(node.logs).toEqual([
    'You requested maxclients of 10000 requiring at least 10064 max file descriptors.',
    'Current maximum open files is 1024. maxclients has been reduced to 960 to compensate for low ulimit. ' +
      "If you need higher maxclients increase 'ulimit -n'.",
  ]);
});

test('what fits stays, and so does what nobody knows a limit for', () => {
  for (const node of [host(10_064), host(undefined), host(100, 'maxclients 36')]) {
    const before = node.settings.maxclients;
    expect([fitMaxclients(node), node.settings.maxclients, node.logs]).toEqual([
      undefined,
      before,
      [],
    ]);
  }
});

test('without files for a single client there is no server', () => {
  expect(fitMaxclients(host(64))).toBe(
    "Your current 'ulimit -n' of 64 is not enough for the server to start. " +
      'Please increase your open file limit to at least 10064. Exiting.',
  );
  expect(fitMaxclients(host(65))).toBe(undefined);
});

test('CONFIG SET of more clients is refused with the number that can be', () => {
  const node = host(100, 'maxclients 37');
  expect(maxclientsRefusal(node, ['maxclients'])).toEqual({
    name: 'maxclients',
    reason:
      'The operating system is not able to handle the specified number of clients, try with 36',
  });
  expect(maxclientsRefusal(node, ['timeout'])).toBe(undefined);
  expect(maxclientsRefusal(host(100, 'maxclients 36'), ['maxclients'])).toBe(undefined);
});
