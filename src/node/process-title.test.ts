import { expect, test } from 'vitest';
import { loadConfig } from '../config/index.ts';
import { processTitle } from './process-title.ts';

/** Configuration, and the title that redis-server 7.0.15 gives itself with it (of the program `p`). */
const TITLES: readonly (readonly [string, string])[] = [
  ['port 7', 'p *:7'],
  ['port 7\nbind 127.0.0.1', 'p 127.0.0.1:7'],
  ['port 7\nbind 127.0.0.1 127.0.0.2', 'p 127.0.0.1:7'],
  ['port 7\nbind * -::*', 'p *:7'],
  ['port 7\nbind -127.0.0.1', 'p -127.0.0.1:7'],
  ['port 7\nbind ::1', 'p ::1:7'],
  ['port 0\nunixsocket /tmp/s', 'p unixsocket:/tmp/s'],
  ['port 7\nunixsocket /tmp/s', 'p *:7'],
  ['port 0\ntls-port 8', 'p *:8'],
  ['port 7\ncluster-enabled yes', 'p *:7 [cluster]'],
  [
    'port 7\nproc-title-template "A{{B}} {port} {tls-port} {unixsocket}|{config-file}|{title}"',
    'A{B}} 7 0 |-|p',
  ],
  ['port 7\nproc-title-template "{title}{server-mode}  x  "', 'p  x'],
];

test.each(TITLES)('%s', (text, title) => {
  const reader = { read: () => ({ error: 'no files here' }), expand: (path: string) => [path] };
  const loaded = loadConfig({ text, reader, isSentinel: false });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.failure));
  const { settings } = loaded.config;
  const facts = { executable: '/usr/bin/p', configFile: '', isSentinel: false };
  expect(processTitle(settings, facts)).toBe(title);
});

test('a program that is a script, a file of configuration, a Sentinel', () => {
  const settings = {
    bind: [],
    'cluster-enabled': false,
    port: 26379,
    'proc-title-template': '{title} {server-mode} {config-file}',
    'tls-port': 0,
    unixsocket: '',
  };
  const facts = {
    executable: '/opt/slotline-server.js',
    configFile: '/etc/s.conf',
    isSentinel: true,
  };
  expect(processTitle(settings, facts)).toBe('slotline-server [sentinel] /etc/s.conf');
});
