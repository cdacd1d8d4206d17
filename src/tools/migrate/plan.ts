/** `slotline migrate plan`: what would stand in the way of a migration, found before it begins. */
import { setTimeout as pause } from 'node:timers/promises';
import {
  Deployment,
  type DeploymentOptions,
  type RespClient,
  formatAddress,
  replyFacts,
  replyItems,
  replyText,
} from '../../client/index.ts';
import { type Reply, ReplyError } from '../../resp/index.ts';
import { type ExitStatus, asToolError } from '../errors.ts';
import { type Abilities, askAbilities, askReadAbilities, productOf } from '../flow/index.ts';
import { type Screen, tableLines } from '../screen.ts';
import { canCarryOut } from './command-fitter.ts';
import { expiringHashes, fieldExpiryProblem } from './field-expiry-check.ts';
import { megabytes } from './report.ts';

export interface PlanOptions {
  readonly source: DeploymentOptions;
  readonly target: DeploymentOptions;
}

/** `stop`: it cannot work so; `warn`: it may not end as wished. */
export type Severity = 'ok' | 'warn' | 'stop';

export interface Finding {
  readonly severity: Severity;
  readonly node: string;
  readonly topic: string;
  readonly text: string;
}

/** What one master says of itself. */
export interface NodeFacts {
  readonly name: string;
  readonly info: ReadonlyMap<string, string>;
  /** Directives as CONFIG GET answers them; empty where that is not allowed. */
  readonly config: ReadonlyMap<string, string>;
  /** Undefined where the server cannot say. */
  readonly mayFollow: boolean | undefined;
  readonly moduleNames: readonly string[];
  readonly libraryCount: number;
  /** Bytes of stream a second, in a short look. */
  readonly streamRate: number;
}

/** How the two sides differ in what they are. */
export interface Shape {
  readonly sourceIsCluster: boolean;
  readonly targetIsCluster: boolean;
  readonly source: Abilities;
  readonly target: Abilities;
}

const LOOK_MS = 500;
/** A backlog should reach over a restart of the tool. */
const BACKLOG_SECONDS_MIN = 30;
const OUTPUT_BYTES_MIN: number = 64 * 1024 * 1024;
/** Keys in several slots, or in scripts: what a cluster may not take. */
const SPANNING = ['rename', 'renamenx', 'sunionstore', 'sinterstore', 'sdiffstore', 'lmove'];
SPANNING.push('rpoplpush', 'smove', 'zunionstore', 'zinterstore', 'bitop', 'copy', 'pfmerge');
SPANNING.push('eval', 'evalsha', 'fcall', 'exec', 'swapdb', 'sort', 'geosearchstore');
const MEMORY_MARGIN = 1.1;

/** Status 0 when nothing stands in the way, 1 when something does. Throws ToolError. */
export async function plan(options: PlanOptions, screen: Screen): Promise<ExitStatus> {
  const open: Deployment[] = [];
  try {
    for (const end of [options.source, options.target]) open.push(await Deployment.open(end));
    const [source, target] = open as [Deployment, Deployment];
    const [from, to] = await Promise.all([factsOf(source, true), factsOf(target, false)]);
    const shape = {
      ...{ sourceIsCluster: source.isCluster, targetIsCluster: target.isCluster },
      ...{ source: await askReadAbilities(source), target: await askAbilities(target) },
    };
    const findings = judge(from, to, shape);
    show(findings, screen);
    return findings.some(({ severity }) => severity === 'stop') ? 1 : 0;
  } catch (error) {
    throw asToolError(error);
  } finally {
    for (const deployment of open) deployment.close();
  }
}

function show(findings: readonly Finding[], screen: Screen): void {
  screen.json(findings);
  const colours = { ok: 'green', warn: 'yellow', stop: 'red' } as const;
  const rows = findings.map(({ severity, topic, node, text }) => [
    severity.toUpperCase(),
    topic,
    node,
    text,
  ]);
  for (const [i, line] of tableLines(['', 'about', 'node', 'finding'], rows).entries()) {
    const colour = colours[findings[i - 1]?.severity ?? 'ok'];
    screen.out(i === 0 ? line : line.replace(/^[A-Z]+/, (word) => screen.paint(colour, word)));
  }
}

async function factsOf(deployment: Deployment, isSource: boolean): Promise<NodeFacts[]> {
  const asked = deployment.masters().map(async (endpoint, index) => {
    const client = await deployment.connection(index);
    const info = replyFacts(await client.call('INFO', 'everything'));
    if (isSource) await pause(LOOK_MS);
    const later = isSource ? replyFacts(await client.call('INFO', 'replication')) : info;
    const grown = number(later, 'master_repl_offset') - number(info, 'master_repl_offset');
    return {
      name: formatAddress(endpoint),
      info,
      config: await configOf(client),
      mayFollow: isSource ? await mayFollow(client) : undefined,
      moduleNames: (await listed(client, 'MODULE', 'LIST')).map(moduleName),
      libraryCount: (await listed(client, 'FUNCTION', 'LIST')).length,
      streamRate: (grown * 1000) / LOOK_MS,
    };
  });
  return Promise.all(asked);
}

async function configOf(client: RespClient): Promise<ReadonlyMap<string, string>> {
  const names = [
    'maxmemory',
    'maxmemory-policy',
    'repl-backlog-size',
    'client-output-buffer-limit',
  ];
  const found = new Map<string, string>();
  for (const name of names) {
    const [reply] = await client.pipeline([['CONFIG', 'GET', name]]);
    const [key, value] = replyItems(reply).map((item) => replyText(item));
    if (key !== undefined) found.set(key, value ?? '');
  }
  return found;
}

/** Whether the user may ask for a stream of writes; servers before 7.0 do not say. */
async function mayFollow(client: RespClient): Promise<boolean | undefined> {
  const [who] = await client.pipeline([['ACL', 'WHOAMI']]);
  if (who === undefined || who instanceof ReplyError) return undefined;
  const user = replyText(who);
  const [answer] = await client.pipeline([['ACL', 'DRYRUN', user, 'PSYNC', '?', '-1']]);
  if (answer === undefined || answer instanceof ReplyError) return undefined;
  return replyText(answer) === 'OK';
}

async function listed(client: RespClient, ...args: readonly string[]): Promise<readonly Reply[]> {
  const [reply] = await client.pipeline([args]);
  return replyItems(reply);
}

function moduleName(reply: Reply): string {
  const fields = replyItems(reply).map((item) => replyText(item));
  return fields[fields.indexOf('name') + 1] ?? '';
}

function number(facts: ReadonlyMap<string, string>, name: string): number {
  return Number(facts.get(name) ?? 0);
}

/** What the facts mean for a migration. */
export function judge(
  source: readonly NodeFacts[],
  target: readonly NodeFacts[],
  shape: Shape,
): readonly Finding[] {
  const findings: Finding[] = [];
  const add = (severity: Severity, node: string, topic: string, text: string): void => {
    findings.push({ severity, node, topic, text });
  };
  judgeVersions(source, target, shape, add);
  judgeMemory(source, target, add);
  for (const node of source) {
    judgeStream(node, add);
    judgeContent(node, shape, add);
    judgeModules(node, target, add);
  }
  const filled = target.filter(({ info }) => [...info.keys()].some((name) => /^db\d+$/.test(name)));
  if (filled.length > 0)
    add(
      'warn',
      filled.map(({ name }) => name).join(),
      'target',
      'has keys: see --on-conflict and --remove-extra',
    );
  else add('ok', 'all', 'target', 'is empty');
  return findings;
}

type Add = (severity: Severity, node: string, topic: string, text: string) => void;

function judgeVersions(
  source: readonly NodeFacts[],
  target: readonly NodeFacts[],
  shape: Shape,
  add: Add,
): void {
  for (const { name, info } of source) add('ok', name, 'version', `${productOf(info)}, the source`);
  const newest = shape.source.newestPayload;
  for (const { name, info } of target) {
    const isLike = shape.target.takesPayload(newest);
    const anew = `values of ${shape.source.product} are written anew where it does not read them`;
    add('ok', name, 'version', isLike ? productOf(info) : `${productOf(info)}: ${anew}`);
  }
  judgeDowngrade(source, shape, add);
  const ids = new Set(source.map(({ info }) => info.get('run_id')));
  const shared = target.find(({ info }) => ids.has(info.get('run_id')));
  if (shared !== undefined) add('stop', shared.name, 'target', 'is the source');
}

/** What the source has and the target has not. */
function judgeDowngrade(source: readonly NodeFacts[], { target }: Shape, add: Add): void {
  for (const { name, info, libraryCount } of source) {
    const problem = fieldExpiryProblem(expiringHashes(info), target);
    if (problem !== undefined) {
      add('stop', name, 'field expiry', `${problem}: see --drop-field-expiry`);
    }
    const commands = [...info.keys()].flatMap((key) => /^cmdstat_([a-z]+)$/.exec(key)?.[1] ?? []);
    const lacking = commands.filter((each) => !canCarryOut(each, target));
    if (lacking.length > 0) {
      const text = `has run ${lacking.join(', ')}: ${target.product} does not know it, and ends the run`;
      add('warn', name, 'commands', text);
    }
    if (libraryCount > 0 && !target.knows('function')) {
      add(
        'warn',
        name,
        'functions',
        `${libraryCount} libraries: ${target.product} has no functions`,
      );
    }
  }
}

function judgeMemory(source: readonly NodeFacts[], target: readonly NodeFacts[], add: Add): void {
  const total = (nodes: readonly NodeFacts[], name: string): number =>
    nodes.reduce((sum, { info }) => sum + number(info, name), 0);
  const needed = total(source, 'used_memory_dataset') * MEMORY_MARGIN;
  const limits = target.map(({ config }) => number(config, 'maxmemory'));
  if (limits.every((limit) => limit > 0)) {
    const free = limits.reduce((sum, limit) => sum + limit, 0) - total(target, 'used_memory');
    const text = `${megabytes(free)} free below maxmemory, some ${megabytes(needed)} needed`;
    add(free < needed ? 'stop' : 'ok', 'all', 'memory', text);
  } else {
    add('ok', 'all', 'memory', `no maxmemory; some ${megabytes(needed)} needed`);
  }
  for (const { name, config } of target) {
    const policy = config.get('maxmemory-policy') ?? 'noeviction';
    if (policy === 'noeviction' || number(config, 'maxmemory') === 0) continue;
    add('warn', name, 'eviction', `${policy} may remove keys that were just copied`);
  }
}

function judgeStream(
  { name, info, config, mayFollow: may, streamRate }: NodeFacts,
  add: Add,
): void {
  if (may === false) add('stop', name, 'rights', 'the user may not PSYNC');
  else add('ok', name, 'rights', may === undefined ? 'cannot be asked' : 'the user may PSYNC');
  const backlog = number(config, 'repl-backlog-size');
  if (backlog > 0 && streamRate > 0) {
    const seconds = Math.floor(backlog / streamRate);
    const text = `reaches back ${seconds} s at the rate of now; a run that is away for longer copies anew`;
    add(seconds < BACKLOG_SECONDS_MIN ? 'warn' : 'ok', name, 'backlog', text);
  }
  // Three classes of clients with a name and three numbers each; replicas are the second.
  const hard = Number(config.get('client-output-buffer-limit')?.split(' ')[5] ?? 0);
  if (hard > 0 && hard < OUTPUT_BYTES_MIN) {
    add(
      'warn',
      name,
      'output buffer',
      `${megabytes(hard)} for replicas may end the stream at once`,
    );
  }
  if (number(info, 'loading') === 1) add('stop', name, 'state', 'is loading its data');
}

/** What comes with a server and has no values. */
const WITHOUT_VALUES: ReadonlySet<string> = new Set(['lua']);

function judgeModules(
  { name, moduleNames }: NodeFacts,
  target: readonly NodeFacts[],
  add: Add,
): void {
  const lacking = moduleNames.filter(
    (module) =>
      !WITHOUT_VALUES.has(module) && !target.every((node) => node.moduleNames.includes(module)),
  );
  if (lacking.length === 0) return;
  const text = `the target has no ${lacking.join(', ')}: values of that are put into the quarantine`;
  add('warn', name, 'modules', text);
}

function judgeContent({ name, info, libraryCount }: NodeFacts, shape: Shape, add: Add): void {
  if (libraryCount > 0 && shape.target.knows('function')) {
    const text = `${libraryCount} libraries are loaded into every master of the target`;
    add('ok', name, 'functions', text);
  }
  if (!shape.targetIsCluster || shape.sourceIsCluster) return;
  const databases = [...info.keys()].filter((key) => /^db[1-9]\d*$/.test(key));
  if (databases.length > 0) {
    add(
      'stop',
      name,
      'databases',
      `a cluster has database 0 only, keys in ${databases.join(', ')}: see --db`,
    );
  }
  const seen = SPANNING.filter((command) => info.has(`cmdstat_${command}`));
  if (seen.length > 0) {
    add(
      'warn',
      name,
      'slots',
      `has run ${seen.join(', ')}: where keys are in several slots, a cluster takes none of it`,
    );
  }
}
