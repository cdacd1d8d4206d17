import { expect, test } from 'vitest';
import {
  type ConfigRefusal,
  type ConfigSetOptions,
  type ConfigSetResult,
  ConfigStore,
} from './config-store.ts';
import { type DirectiveName, type Settings, defaultSettings } from './directives.ts';

function newStore(changes: Partial<Settings> = {}): ConfigStore {
  return new ConfigStore({ ...defaultSettings(), ...changes });
}

const directory: ConfigSetOptions['directory'] = (path) =>
  path.startsWith('/no') ? { failure: 'No such file or directory' } : `/base/${path}`;

/** CONFIG SET with an even list of words; `apply` agrees unless given. */
function set(
  store: ConfigStore,
  words: readonly string[],
  apply: (changed: readonly DirectiveName[]) => ConfigRefusal | undefined = () => undefined,
): ConfigSetResult {
  const pairs: [string, string][] = [];
  for (let i = 0; i < words.length; i += 2) pairs.push([words[i]!, words[i + 1]!]);
  return store.set(pairs, { isLocalClient: true, apply, directory });
}

function failed(name: string, reason: string): ConfigSetResult {
  const error = `ERR CONFIG SET failed (possibly related to argument '${name}') - ${reason}`;
  return { ok: false, error };
}

test('CONFIG GET lists names and aliases once, a whole name as the client wrote it', () => {
  const store = newStore();
  expect(store.get(['maxm*', 'MAXMEMORY', 'nothing']).map(([name]) => name)).toEqual([
    'maxmemory-clients',
    'maxmemory',
    'maxmemory-eviction-tenacity',
    'maxmemory-policy',
    'maxmemory-samples',
  ]);
  expect(store.get(['MAXMEMORY'])).toEqual([['MAXMEMORY', '0']]);
  expect(store.get(['SLAVE-P*'])).toEqual([['slave-priority', '100']]);
  expect(store.get(['[qr]epl[a-z]caof', 'slaveof'])).toEqual([
    ['replicaof', ''],
    ['slaveof', ''],
  ]);
});

test('CONFIG GET shows a hidden directive only by its whole name', () => {
  expect(newStore().get(['watch*'])).toEqual([]);
  expect(newStore().get(['cluster-databases'])).toEqual([['cluster-databases', '1']]);
  expect(newStore().get(['watchdog-period'])).toEqual([['watchdog-period', '0']]);
});

test('CONFIG GET * has the 192 names of redis-server 7.0.15', () => {
  expect(newStore().get(['*'])).toHaveLength(192);
});

test('CONFIG SET changes values and reports what really changed', () => {
  const store = newStore();
  const result = set(store, ['MaxMemory', '1mb', 'timeout', '0', 'slave-priority', '7']);
  expect(result).toEqual({ ok: true, changed: ['maxmemory', 'replica-priority'] });
  expect(store.settings.maxmemory).toBe(1048576);
  expect(store.settings['replica-priority']).toBe(7);
});

test('CONFIG SET refuses names before it looks at any value, the first wrong one in order', () => {
  const store = newStore();
  expect(set(store, ['maxmemory', 'x', 'Foo', '2'])).toEqual({
    ok: false,
    error: "ERR Unknown option or number of arguments for CONFIG SET - 'Foo'",
  });
  expect(set(store, ['DAEMONIZE', 'yes', 'foo', '1'])).toEqual(
    failed('DAEMONIZE', "can't set immutable config"),
  );
  expect(set(store, ['maxmemory', '1', 'MAXMEMORY', '2'])).toEqual(
    failed('MAXMEMORY', 'duplicate parameter'),
  );
  expect(store.settings.maxmemory).toBe(0);
});

test('protected directives follow enable-protected-configs', () => {
  const refused = failed('dir', "can't set protected config");
  const ask = (allowed: 'no' | 'yes' | 'local', isLocalClient: boolean): ConfigSetResult =>
    newStore({ 'enable-protected-configs': allowed }).set([['dir', '/x']], {
      isLocalClient,
      apply: () => undefined,
      directory,
    });
  expect(ask('no', true)).toEqual(refused);
  expect(ask('local', false)).toEqual(refused);
  expect(ask('local', true).ok).toBe(true);
  expect(ask('yes', false).ok).toBe(true);
});

test('dir is kept as an absolute path, and a directory that is none takes back the values before it', () => {
  const store = newStore({ 'enable-protected-configs': 'yes' });
  expect(set(store, ['dir', 'here']).ok).toBe(true);
  expect(store.get(['dir'])).toEqual([['dir', '/base/here']]);
  expect(set(store, ['maxmemory', '5mb', 'dir', '/nowhere'])).toEqual(
    failed('dir', 'No such file or directory'),
  );
  expect(store.settings.maxmemory).toBe(0);
  expect(store.settings.dir).toBe('/base/here');
});

test('a bad value takes back the values before it, and nothing is applied', () => {
  const store = newStore();
  const result = set(store, ['timeout', '5', 'HZ', 'bad'], () => {
    throw new Error('must not be applied');
  });
  expect(result).toEqual(failed('hz', "argument couldn't be parsed into an integer"));
  expect(store.settings.timeout).toBe(0);
});

test('a refused change is taken back and the old values are applied again', () => {
  const store = newStore();
  const seen: string[] = [];
  const apply = (changed: readonly DirectiveName[]): ConfigRefusal | undefined => {
    seen.push(`${changed.join()}=${store.text('maxmemory')}`);
    return store.settings.maxmemory === 0
      ? undefined
      : { name: 'bind', reason: 'Failed to bind to specified addresses.' };
  };
  expect(set(store, ['bind', '9.9.9.9', 'maxmemory', '7'], apply)).toEqual(
    failed('bind', 'Failed to bind to specified addresses.'),
  );
  expect(seen).toEqual(['bind,maxmemory=7', 'bind,maxmemory=0']);
  expect(store.text('bind')).toBe('* -::*');
  const refusal = set(store, ['slave-priority', '1'], () => ({ name: 'replica-priority' }));
  expect(refusal).toEqual({
    ok: false,
    error: "ERR CONFIG SET failed (possibly related to argument 'slave-priority')",
  });
});

test('CONFIG SET save replaces the points instead of adding', () => {
  const store = newStore();
  set(store, ['save', '5 1']);
  set(store, ['save', '6 1']);
  expect(store.text('save')).toBe('6 1');
});
