/**
 * Transcripts of the cluster machine: the lines after `> ` are what happens, the lines between are the typed effects
 * that came out. Only what decides is shown: pings, pongs and link work are left out.
 * `GOLDEN=write npx vitest run tests/golden/cluster` writes them anew; explain every line of the difference.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { slot } from '../../../src/base/index.ts';
import type { Effect } from '../../../src/cluster/index.ts';
import {
  type TestCluster,
  type TestNode,
  startTestCluster,
} from '../../../src/cluster/test-network.ts';

const FOLDER = import.meta.dirname;
const HIDDEN_SENDS = new Set(['ping', 'pong', 'meet']);
const HIDDEN_KINDS = new Set(['openLink', 'closeLink']);
const HIDDEN_LOGS = new Set(['reportedDown', 'reportedUp', 'possiblyFailing', 'addressUpdated']);

interface Script {
  cluster: TestCluster | undefined;
  readonly names: Map<string, TestNode>;
  readonly shown: Map<TestNode, number>;
  start: number;
}

for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.txt'))) {
  test(`transcript ${file}`, () => {
    const path = join(FOLDER, file);
    const before = readFileSync(path, 'utf8');
    const after = play(before);
    if (process.env['GOLDEN'] === 'write') writeFileSync(path, after);
    else expect(after).toBe(before);
  });
}

function play(text: string): string {
  const script: Script = { cluster: undefined, names: new Map(), shown: new Map(), start: 0 };
  const out: string[] = [];
  for (const line of text.split('\n')) {
    if (line.startsWith('#') || line === '') out.push(line);
    if (!line.startsWith('> ')) continue;
    out.push(line, ...perform(script, line.slice(2).split(' ')));
  }
  return `${out.join('\n').trimEnd()}\n`;
}

function perform(script: Script, words: readonly string[]): string[] {
  const [verb = '', first = '', second = '', third = ''] = words;
  if (verb === 'cluster') return begin(script, words.slice(1));
  const { cluster } = script;
  if (cluster === undefined) throw new Error('a transcript starts with > cluster');
  const lines: string[] = [];
  const node = script.names.get(first);
  switch (verb) {
    case 'run':
      for (let left = Number(first); left > 0; left--) {
        cluster.net.run(1);
        lines.push(...newEffects(script));
      }
      return lines;
    case 'crash':
      if (node !== undefined) cluster.net.crash(node);
      break;
    case 'write':
      return [`  ${node?.write() === true ? 'acknowledged' : 'refused'}`];
    case 'partition':
      cluster.net.partition(words.slice(1).flatMap((name) => script.names.get(name) ?? []));
      break;
    case 'heal':
      cluster.net.heal();
      break;
    case 'failover': {
      const mode = second === 'force' || second === 'takeover' ? second : 'coordinated';
      lines.push(`  ${JSON.stringify(node?.admin({ kind: 'failover', mode }))}`);
      break;
    }
    case 'setslot': {
      const nodeId = script.names.get(words[4] ?? '')?.id ?? '';
      const to = third === 'importing' || third === 'migrating' ? third : 'node';
      const action = { to, nodeId } as const;
      const result = node?.admin({ kind: 'setSlot', slot: Number(second), action });
      lines.push(`  ${JSON.stringify(result)}`);
      break;
    }
    case 'show':
      lines.push(...[...script.names].map(([name, each]) => show(script, name, each)));
      break;
    default:
      throw new Error(`unknown verb "${verb}"`);
  }
  return [...lines, ...newEffects(script)];
}

function begin(script: Script, words: readonly string[]): string[] {
  const options = new Map(words.map((word) => word.split('=') as [string, string]));
  const replicaOf = (options.get('replicas') ?? '').split(',').filter((word) => word !== '');
  const cluster = startTestCluster({
    seed: Number(options.get('seed') ?? 1),
    masterCount: Number(options.get('masters') ?? 3),
    replicaOf: replicaOf.map(Number),
  });
  cluster.masters.forEach((node, index) => script.names.set(`m${index}`, node));
  cluster.replicas.forEach((node, index) => script.names.set(`r${index}`, node));
  for (const node of cluster.net.nodes) script.shown.set(node, node.effects.length);
  script.cluster = cluster;
  script.start = cluster.net.time;
  return [];
}

function newEffects(script: Script): string[] {
  const lines: string[] = [];
  const at = String((script.cluster?.net.time ?? 0) - script.start).padStart(6);
  for (const [name, node] of script.names) {
    for (const effect of node.effects.slice(script.shown.get(node))) {
      const text = describe(script, effect);
      if (text !== undefined) lines.push(`${at} ${name} ${text}`);
    }
    script.shown.set(node, node.effects.length);
  }
  return lines;
}

function describe(script: Script, effect: Effect): string | undefined {
  switch (effect.kind) {
    case 'send':
      return HIDDEN_SENDS.has(effect.type) ? undefined : `send ${effect.type}`;
    case 'saveNodesConf':
      return effect.fsync
        ? `save fsync currentEpoch=${effect.state.currentEpoch} ` +
            `lastVoteEpoch=${effect.state.lastVoteEpoch}`
        : undefined;
    case 'setMaster':
      return `setMaster ${nameOf(script, effect.nodeId)}`;
    case 'log': {
      const { name, ...fields } = effect.event;
      if (HIDDEN_LOGS.has(name)) return undefined;
      const parts = Object.entries(fields).map(
        ([key, value]) => `${key}=${nameOf(script, String(value))}`,
      );
      return ['log', name, ...parts].join(' ');
    }
    case 'pauseWrites':
      return `pauseWrites until=${effect.until - script.start}`;
    case 'deleteKeysInSlot':
      return `deleteKeysInSlot ${effect.slot}`;
    case 'clusterStateChanged':
      return `clusterStateChanged ${effect.state}`;
    default:
      return HIDDEN_KINDS.has(effect.kind) ? undefined : effect.kind;
  }
}

function nameOf(script: Script, id: string): string {
  for (const [name, node] of script.names) if (node.id === id) return name;
  return id;
}

function show(script: Script, name: string, node: TestNode): string {
  const { machine } = node;
  const { role, configEpoch, master, slotCount } = machine.myself;
  const owner = nameOf(script, machine.slotOwner(slot(0))?.id ?? 'nobody');
  const follows = master === undefined ? '' : ` of ${nameOf(script, master.id)}`;
  return (
    `       ${name} ${role}${follows} state=${machine.state} slots=${slotCount} ` +
    `configEpoch=${configEpoch} currentEpoch=${machine.currentEpoch} slot 0: ${owner}`
  );
}
