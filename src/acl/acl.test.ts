/**
 * Users and their rights, over a small set of commands. Method: rules in, and what is then allowed and how it is told out;
 * the texts are those of redis-server 7.0.15.
 */
import { expect, test } from 'vitest';
import {
  Acl,
  type AclCall,
  AclCatalog,
  type AclCommand,
  AclLog,
  type Denial,
  aclFileText,
  joinedRules,
  readAclFile,
} from './index.ts';
import { unixMs } from '../base/index.ts';

function command(fullName: string, categories: string, ...subcommands: AclCommand[]): AclCommand {
  const names = categories.split(' ').map((name) => `@${name}`);
  return { fullName, categories: names, isOpen: fullName === 'auth', subcommands };
}

const COMMANDS = [
  command('get', 'read string fast'),
  command('set', 'write string slow'),
  command('incr', 'write string fast'),
  command('lpush', 'write list fast'),
  command('select', 'connection fast'),
  command('publish', 'pubsub fast'),
  command('psubscribe', 'pubsub slow'),
  command('auth', 'connection fast'),
  command('copy', 'write keyspace slow'),
  command(
    'config',
    'slow',
    command('config|get', 'admin slow dangerous'),
    command('config|set', 'admin slow dangerous'),
  ),
];

function createAcl(channels = 'resetchannels'): Acl {
  const catalog = new AclCatalog(COMMANDS);
  return new Acl({ catalog, settings: { 'acl-pubsub-default': channels } });
}

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

/** A call such as `get k1`; keys of reads have `R`, of writes `W` before them: `copy R:a W:b`. */
function call(acl: Acl, text: string): AclCall {
  const [name = '', ...args] = text.split(' ');
  const isChannel = name === 'publish' || name === 'psubscribe';
  return {
    command: acl.catalog.find(name) ?? -1,
    firstArgument: args[0],
    keys: args
      .filter((arg) => /^[RW]+:/.test(arg))
      .map((arg) => {
        const [flags = '', key = ''] = arg.split(':');
        return { key: bytes(key), reads: flags.includes('R'), writes: flags.includes('W') };
      }),
    channels: isChannel
      ? args.map((arg) => ({ channel: bytes(arg), isPattern: name === 'psubscribe' }))
      : [],
  };
}

function denialOf(acl: Acl, name: string, text: string): Denial | undefined {
  return acl.find(name)!.denial(call(acl, text));
}

function textAfter(...rules: string[]): string {
  const acl = createAcl();
  expect(acl.set('u', rules)).toBe(undefined);
  return acl.find('u')!.text;
}

test('a new server has one user, who may do everything without a password', () => {
  const acl = createAcl();
  expect(acl.users().map(({ name, text }) => `${name} ${text}`)).toEqual([
    'default on nopass ~* &* +@all',
  ]);
  expect([acl.defaultUser.isOpen, acl.defaultUser.isUnrestricted]).toEqual([true, true]);
});

test('a new user may do nothing', () => {
  expect(textAfter()).toBe('off resetchannels -@all');
  const acl = createAcl('allchannels');
  acl.set('u', []);
  expect(acl.find('u')!.text).toBe('off &* -@all');
});

test.each([
  [['+@all', '-@string', '+incr'], 'off resetchannels +@all -@string +incr'],
  [['+@read', '+lpush'], 'off resetchannels -@all +@read +lpush'],
  [['+@all', '-config', '+config|get'], 'off resetchannels +@all -config +config|get'],
  [['+config', '-config|set'], 'off resetchannels -@all +@dangerous +config -config|set'],
  [['+select|0', '+SELECT|1'], 'off resetchannels -@all +select|0 +select|1'],
  [['+@all', '+select|0'], 'off resetchannels +@all'],
  [['allcommands', 'nocommands', '+get'], 'off resetchannels -@all +@read'],
  [['on', '~a*', '%R~b', '%W~b', '%r~c'], 'on ~a* ~b %R~c resetchannels -@all'],
  [['', '~a', ''], 'off ~a resetchannels -@all'],
  [['~a', 'allkeys', '&x', '&x'], 'off ~* resetchannels &x -@all'],
  [
    ['(~a +get)', '(&c)'],
    'off resetchannels -@all (~a resetchannels -@all +@read) (resetchannels &c -@all)',
  ],
  [['(+get)', 'clearselectors', 'reset'], 'off sanitize-payload resetchannels -@all'],
])('the rules %j are told as %j', (rules, text) => {
  // Several ways to tell the same rights exist; what matters is that they are the same when given again.
  const told = textAfter(...rules);
  const again = joinedRules(told.split(' '));
  if ('unmatched' in again) throw new Error(again.unmatched);
  expect(textAfter(...again.rules)).toBe(told);
  const acl = createAcl();
  acl.set('told', rules);
  acl.set('expected', (joinedRules(text.split(' ')) as { rules: string[] }).rules);
  for (const { fullName, subcommands } of COMMANDS) {
    for (const each of [fullName, ...Array.from(subcommands, (sub) => sub.fullName)]) {
      expect(denialOf(acl, 'told', each)?.reason).toBe(denialOf(acl, 'expected', each)?.reason);
    }
  }
});

test.each([
  ['+nope', 'Unknown command or category name in ACL'],
  ['+@nope', 'Unknown command or category name in ACL'],
  ['+config|nope', 'Unknown command or category name in ACL'],
  ['+get|a|b', 'Unknown command or category name in ACL'],
  ['-select|0', 'Unknown command or category name in ACL'],
  ['+config|get|x', 'Allowing first-arg of a subcommand is not supported'],
  ['+get|', 'Syntax error'],
  ['nope', 'Syntax error'],
  ['%~x', 'Syntax error'],
  ['%RWR~x', 'Syntax error'],
  ['~a b', 'Syntax error'],
  ['(on)', 'Syntax error'],
  ['<nope', 'The password you are trying to remove from the user does not exist'],
  [
    '#abc',
    'The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters',
  ],
])('the rule %j is refused and changes nothing', (rule, reason) => {
  const acl = createAcl();
  acl.set('u', ['on', '+get']);
  expect(acl.set('u', ['off', '+@all', rule])).toEqual({ rule, reason });
  expect(acl.find('u')!.isOn).toBe(true);
  expect(denialOf(acl, 'u', 'set')).toEqual({ reason: 'command' });
});

test('a pattern after all keys or all channels is refused', () => {
  const acl = createAcl();
  expect(acl.set('u', ['~*', '~x'])?.reason).toContain("Try 'resetkeys'");
  expect(acl.set('u', ['&*', '&x'])?.reason).toContain("Try 'resetchannels'");
});

test('commands, keys by what is done to them, channels and patterns are each asked for', () => {
  const acl = createAcl();
  acl.set('u', ['on', '+@all', '-@admin', '~w*', '%R~r*', '&ch*']);
  const seen = [
    'get R:r1',
    'set W:w1',
    'set W:r1',
    'copy R:r1 W:w1',
    'copy R:w1 W:r1',
    'get R:other',
    'config|get x',
    'auth x',
    'publish ch1',
    'publish other',
    'psubscribe ch*',
    'psubscribe ch1*',
  ].map((text) => denialOf(acl, 'u', text));
  expect(seen).toEqual([
    undefined,
    undefined,
    { reason: 'key', index: 0 },
    undefined,
    { reason: 'key', index: 1 },
    { reason: 'key', index: 0 },
    { reason: 'command' },
    undefined,
    undefined,
    { reason: 'channel', index: 0 },
    undefined,
    { reason: 'channel', index: 0 },
  ]);
});

test('one selector must allow all of a call; the refusal is of the one that came furthest', () => {
  const acl = createAcl();
  acl.set('u', ['+get', '~a*', '(+set ~b*)']);
  expect(denialOf(acl, 'u', 'set W:b1')).toBe(undefined);
  expect(denialOf(acl, 'u', 'get R:b1')).toEqual({ reason: 'key', index: 0 });
  expect(denialOf(acl, 'u', 'lpush W:a1')).toEqual({ reason: 'command' });
});

test('a command that is denied can be allowed with some first arguments', () => {
  const acl = createAcl();
  acl.set('u', ['+select|0']);
  expect([denialOf(acl, 'u', 'select 0'), denialOf(acl, 'u', 'select 1')]).toEqual([
    undefined,
    { reason: 'command' },
  ]);
});

test('passwords are added, removed and compared as hashes', () => {
  const acl = createAcl();
  acl.set('u', ['on', '>one', '>two', '<one']);
  const user = acl.find('u')!;
  const takes = (password: string): boolean => user.accepts(bytes(password));
  expect([takes('one'), takes('two'), takes('')]).toEqual([false, true, false]);
  acl.set('u', ['off']);
  expect(takes('two')).toBe(false);
  acl.set('u', ['on', 'nopass']);
  expect([takes('anything'), user.passwords]).toEqual([true, []]);
  acl.set('u', [`#${'0'.repeat(64)}`]);
  expect(takes('anything')).toBe(false);
});

test('requirepass is the password of the default user', () => {
  const acl = createAcl();
  acl.setDefaultPassword('secret');
  expect([acl.defaultUser.isOpen, acl.defaultUser.accepts(bytes('secret'))]).toEqual([false, true]);
  acl.setDefaultPassword('');
  expect(acl.defaultUser.isOpen).toBe(true);
});

test('a selector cut at its blanks is one rule, and one that never ends is told', () => {
  expect(joinedRules(['on', '(~a', '+get', '&x)', '(+set)'])).toEqual({
    rules: ['on', '(~a +get &x)', '(+set)'],
  });
  expect(joinedRules(['(~a', '+get'])).toEqual({ unmatched: '(~a' });
});

test('a file is read whole or not at all, and written so that it is read again', () => {
  const acl = createAcl();
  acl.set('old', ['on']);
  const read = readAclFile(acl, '/f', 'user a on +get ~x (&c)\n\nuser default on >p ~* +@all\n');
  if ('flaw' in read) throw new Error(read.flaw);
  const { defaultUser } = acl;
  acl.replaceAll(read.users);
  expect(acl.users().map(({ name }) => name)).toEqual(['a', 'default']);
  expect(acl.defaultUser).toBe(defaultUser);
  expect(acl.defaultUser.isOpen).toBe(false);
  const text = aclFileText(acl);
  const again = readAclFile(acl, '/f', text);
  if ('flaw' in again) throw new Error(again.flaw);
  acl.replaceAll(again.users);
  expect(aclFileText(acl)).toBe(text);
});

test('all that is wrong with a file is told at once', () => {
  const text = 'user a on +get\nuser b +foo\nnouser\nuser\nuser a\nuser c (x\n';
  expect(readAclFile(createAcl(), '/f', text)).toEqual({
    flaw:
      "/f:2: Error in applying operation '+foo': Unknown command or category name in ACL. " +
      '/f:3 should start with user keyword followed by the username. ' +
      '/f:4 should start with user keyword followed by the username. ' +
      "WARNING: Duplicate user 'a' found on line 5. " +
      '/f:6: Unmatched parenthesis in selector definition.' +
      'WARNING: ACL errors detected, no change to the previously active ACL rules was performed',
  });
});

test('equal refusals within a minute are one entry of the log, which is bounded', () => {
  const log = new AclLog();
  const refusal = {
    reason: 'key',
    context: 'toplevel',
    object: bytes('k'),
    userName: 'u',
    clientInfo: '',
  } as const;
  log.add(refusal, unixMs(0), 2);
  log.add(refusal, unixMs(60_000), 2);
  log.add({ ...refusal, object: bytes('l') }, unixMs(60_000), 2);
  expect(log.entries.map(({ count, object }) => [object.toString(), count])).toEqual([
    ['l', 1],
    ['k', 2],
  ]);
  log.add(refusal, unixMs(130_000), 2);
  expect(log.entries.map(({ count, object }) => [object.toString(), count])).toEqual([
    ['k', 1],
    ['l', 1],
  ]);
});
