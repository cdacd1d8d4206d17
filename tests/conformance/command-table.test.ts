/**
 * Goal: the facts of our command table are those of redis-server 7.0.15, because clients route by them.
 * Method: COMMAND and COMMAND DOCS of both over the wire, compared for every command that we have.
 */
import { expect, test } from 'vitest';
import { BothServers } from '../interop/harness/both-servers.ts';
import type { NodeProcess } from '../interop/harness/node-process.ts';
import { describeWithRealRedis } from '../interop/harness/programs.ts';
import type { Reply } from '../interop/harness/resp-connection.ts';

interface CommandFacts {
  readonly arity: Reply;
  readonly flags: readonly string[];
  readonly keys: readonly Reply[];
  readonly categories: readonly string[];
  readonly tips: readonly string[];
  readonly keySpecs: Reply;
  readonly subcommands: Readonly<Record<string, CommandFacts>>;
}

/** Documented facts that are compared; summaries are prose and may differ. */
const DOCUMENTED = ['since', 'group'];

/** What a node of ours must have at least. */
const EXPECTED = [
  ...['get', 'set', 'mget', 'mset', 'incr', 'append', 'setrange', 'getdel', 'getex', 'setbit'],
  ...['del', 'unlink', 'exists', 'expire', 'pexpireat', 'ttl', 'scan', 'rename', 'copy', 'type'],
  ...['multi', 'exec', 'discard', 'watch', 'subscribe', 'psubscribe', 'ssubscribe', 'publish'],
  ...['info', 'config', 'client', 'command', 'object', 'memory', 'slowlog', 'latency', 'monitor'],
  ...['hello', 'auth', 'ping', 'quit', 'reset', 'select', 'role', 'replicaof', 'psync', 'wait'],
  ...['cluster', 'readonly', 'readwrite', 'asking', 'dump', 'restore', 'migrate', 'shutdown'],
];

/** Valkey 9's commands for atomic moves of slots. */
const OURS_ALONE: ReadonlySet<string> = new Set([
  'cluster|cancelslotmigrations',
  'cluster|getslotmigrations',
  'cluster|migrateslots',
  'cluster|syncslots',
]);

describeWithRealRedis('the command table', () => {
  const servers = new BothServers();

  test('has the commands of the areas that are built', async () => {
    const names = new Set(Object.keys(await commandFacts(servers.ours)));
    expect(EXPECTED.filter((name) => !names.has(name))).toEqual([]);
  });

  test('says of each command what the real one says', async () => {
    const [mine, theirs] = [await commandFacts(servers.ours), await commandFacts(servers.real)];
    const { subcommands, ...container } = mine['cluster']!;
    const known = Object.entries(subcommands).filter(([name]) => !OURS_ALONE.has(name));
    mine['cluster'] = { ...container, subcommands: Object.fromEntries(known) };
    const shared = Object.fromEntries(Object.keys(mine).map((name) => [name, theirs[name]]));
    expect(mine).toEqual(shared);
  });

  test('documents since when and in which group', async () => {
    const names = Object.keys(await commandFacts(servers.ours));
    const mine = await documents(servers.ours, names);
    expect(mine).toEqual(await documents(servers.real, names));
  });
});

async function commandFacts(node: NodeProcess): Promise<Record<string, CommandFacts>> {
  return factsByName(await node.call('COMMAND'));
}

function factsByName(reply: Reply | undefined): Record<string, CommandFacts> {
  const byName: Record<string, CommandFacts> = {};
  for (const entry of list(reply)) {
    const [name, arity = null, flags, first, last, step, categories, tips, specs, subs] =
      list(entry);
    byName[String(name)] = {
      arity,
      flags: words(flags),
      keys: [first ?? null, last ?? null, step ?? null],
      categories: words(categories),
      tips: words(tips),
      keySpecs: specs ?? null,
      subcommands: factsByName(subs),
    };
  }
  return byName;
}

async function documents(
  node: NodeProcess,
  names: readonly string[],
): Promise<Record<string, Record<string, string>>> {
  const byName: Record<string, Record<string, string>> = {};
  const reply = list(await node.call('COMMAND', 'DOCS', ...names));
  for (let at = 0; at + 1 < reply.length; at += 2) {
    const facts: Record<string, string> = {};
    const pairs = list(reply[at + 1]);
    for (let pair = 0; pair + 1 < pairs.length; pair += 2) {
      const field = String(pairs[pair]);
      if (DOCUMENTED.includes(field)) facts[field] = String(pairs[pair + 1]);
    }
    byName[String(reply[at])] = facts;
  }
  return byName;
}

function list(reply: Reply | undefined): Reply[] {
  return Array.isArray(reply) ? reply : [];
}

function words(reply: Reply | undefined): string[] {
  return list(reply).map(String).sort();
}
