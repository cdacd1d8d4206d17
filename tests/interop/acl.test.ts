/**
 * Goal: rules give a user the same rights here as in redis-server, and what is wrong with a rule is said in the same words.
 * Method: random rules from a fixed seed for both servers; after each, what ACL GETUSER shows and what ACL DRYRUN says of
 * calls of every shape. Which of several equal ways tells the commands is left to each server.
 */
import { expect, test } from 'vitest';
import { type Rng, seededRng } from '../../src/base/index.ts';
import { BothServers } from './harness/both-servers.ts';
import { describeWithRealRedis } from './harness/programs.ts';

const SEED = 20_261_126;
const CHANGES = 150;
const USERS = 7;

// Scripts are not there yet, and their categories with them.
const CATEGORIES = [
  ...['keyspace', 'read', 'write', 'set', 'sortedset', 'list', 'hash', 'string', 'bitmap', 'geo'],
  ...['hyperloglog', 'stream', 'pubsub', 'admin', 'fast', 'slow', 'blocking', 'dangerous', 'all'],
  ...['connection', 'transaction', 'nope'],
];
const COMMANDS = [
  ...['get', 'set', 'config', 'config|get', 'config|set', 'debug', 'client', 'client|kill', 'nope'],
  ...['lpush', 'blpop', 'zadd', 'sort', 'acl|list', 'publish', 'xadd', 'xgroup|create', 'mget'],
  ...['copy', 'select', 'auth', 'get|foo', 'select|1', 'config|get|x', 'client|nope', 'subscribe'],
  ...['migrate', 'bitop', 'spublish', 'memory|usage', 'object|freq', 'get|a|b'],
];
const PATTERNS = ['*', 'a*', 'b', '[ab]*', '?', String.raw`x\*`, '', 'a b'];
const KEY_FLAGS = ['%R~', '%W~', '%RW~', '%WR~', '%~', '%RR~', '%r~', '%X~'];
const SELECTOR_WORDS = [
  ...['allkeys', 'resetkeys', 'allchannels', 'resetchannels', 'allcommands', 'nocommands'],
  ...['ALLKEYS', '+GET', '-CONFIG|GET', 'foo', '+', '-', '@read', '~', '&', '%', '%R', '('],
];
const USER_WORDS = [
  ...['on', 'off', 'On', 'nopass', 'resetpass', 'reset', 'clearselectors', '>p', '<p', '>q', '>'],
  ...['sanitize-payload', 'skip-sanitize-payload', '#abc', '!abc'],
];
const CALLS = [
  ...[
    'get a1',
    'set b 1',
    'set a 1 get',
    'config get x',
    'config set x y',
    'debug sleep 0',
    'ping',
  ],
  ...[
    'client kill x',
    'lpush a b',
    'blpop a b 0',
    'zadd x* 1 m',
    'sort a',
    'acl list',
    'publish a x',
  ],
  ...['xadd a * f v', 'xgroup create a g 0', 'object freq b', 'mget a b', 'copy a b', 'copy b a'],
  ...['select 1', 'select 2', 'subscribe a zz', 'psubscribe a*', 'psubscribe b', 'spublish b x'],
  ...['ssubscribe a', 'migrate h 1 k 0 1', 'setrange a 0 x', 'bitop and a b c', 'memory usage a'],
  ...['getdel a', 'strlen a', 'exists z', 'zunionstore a 2 b c', 'nosuch x', 'lmove a b left left'],
  ...['georadius a 1 1 1 m store b', 'xread streams a b 0 0', 'bitfield a get u8 0', 'rename a b'],
  ...[
    'bitfield a set u8 0 1',
    'expire a 1',
    'ttl b',
    'dump b',
    'restore a 0 x',
    'pfcount a b',
    'get',
  ],
  ...['geosearchstore a b fromlonlat 1 1 byradius 1 m', 'hset x* f v', 'touch a', 'unlink b'],
];

describeWithRealRedis('the ACL beside redis-server', () => {
  const servers = new BothServers();

  /** What both answer to a command, as text. */
  function answers(...args: readonly string[]): Promise<string[]> {
    return Promise.all(
      servers.all.map(async (server) => {
        try {
          return shown(await server.call(...args));
        } catch (error) {
          return String(error);
        }
      }),
    );
  }

  test('random rules are taken, refused and obeyed alike', async () => {
    const rng = seededRng(SEED);
    for (let change = 0; change < CHANGES; change++) {
      const user = `u${change % USERS}`;
      const rules = Array.from({ length: 1 + rng.below(5) }, () => anyRule(rng));
      const seen = [
        ['SETUSER', ...(await answers('ACL', 'SETUSER', user, ...rules))],
        ['GETUSER', ...(await answers('ACL', 'GETUSER', user))],
      ];
      for (const call of CALLS) {
        seen.push([call, ...(await answers('ACL', 'DRYRUN', user, ...call.split(' ')))]);
      }
      const different = seen.filter(([, mine, theirs]) => mine !== theirs);
      expect(different, `${change}: ${user} ${rules.join(' | ')}`).toEqual([]);
    }
  });
});

function anyRule(rng: Rng): string {
  if (rng.below(8) === 0) return pick(rng, USER_WORDS);
  if (rng.below(8) > 0) return anySelectorRule(rng);
  const rules = Array.from({ length: rng.below(4) }, () => anySelectorRule(rng));
  return `(${rules.join(' ')})`;
}

function anySelectorRule(rng: Rng): string {
  switch (rng.below(6)) {
    case 0:
      return `${pick(rng, ['+', '-'])}@${pick(rng, CATEGORIES)}`;
    case 1:
    case 2:
      return pick(rng, ['+', '-']) + pick(rng, COMMANDS);
    case 3:
      return pick(rng, ['~', '~', '~', ...KEY_FLAGS]) + pick(rng, PATTERNS);
    case 4:
      return `&${pick(rng, PATTERNS)}`;
    default:
      return pick(rng, SELECTOR_WORDS);
  }
}

function pick(rng: Rng, list: readonly string[]): string {
  return list[rng.below(list.length)] ?? '';
}

/** A reply as text, without the rules for commands, of which the two may choose others. */
function shown(reply: unknown): string {
  if (!Array.isArray(reply)) return String(reply);
  const parts = reply.map((part, i) => (String(reply[i - 1]) === 'commands' ? '…' : shown(part)));
  return `[${parts.join(', ')}]`;
}
