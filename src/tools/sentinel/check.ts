/** `slotline sentinel check`: whether the Sentinels agree, and whether they could fail over now. */
import { type NodeAddress, type RespClient, formatAddress, replyText } from '../../client/index.ts';
import { connectNode, withCredentials } from '../cluster/index.ts';
import { type ExitStatus, ToolError } from '../errors.ts';
import type { Screen } from '../screen.ts';
import {
  type Facts,
  addressOf,
  ask,
  couldTakeOver,
  withSentinel,
  fact,
  flagsOf,
  isUsable,
  listOf,
  mastersOf,
} from './ask.ts';

interface Finding {
  readonly master: string;
  /** An error keeps a failover from working, or says that one is needed. */
  readonly severity: 'error' | 'warning';
  readonly message: string;
}

/** Status 0 when nothing is wrong, 1 with errors among the findings. Throws ToolError. */
export async function checkSentinels(
  seeds: readonly NodeAddress[],
  screen: Screen,
): Promise<ExitStatus> {
  return withSentinel(seeds, async (client) => {
    const masters = await mastersOf(client);
    const like = seeds[0]!;
    const findings: Finding[] = [];
    for (const master of masters) findings.push(...(await checkMaster(client, like, master)));
    const isOk = findings.every(({ severity }) => severity !== 'error');
    const names = masters.map((master) => fact(master, 'name'));
    screen.json({ ok: isOk, sentinel: client.name, masters: names, findings });
    show(findings, masters, screen);
    return isOk ? 0 : 1;
  });
}

function show(findings: readonly Finding[], masters: readonly Facts[], screen: Screen): void {
  for (const { master, message, severity } of findings) {
    const isError = severity === 'error';
    const word = screen.paint(isError ? 'red' : 'yellow', isError ? 'PROBLEM' : 'WARNING');
    screen.out(`${word} ${master}: ${message}`);
  }
  for (const facts of masters) {
    const name = fact(facts, 'name');
    if (findings.some(({ master, severity }) => master === name && severity === 'error')) continue;
    const count = Number(fact(facts, 'num-other-sentinels')) + 1;
    const who = `${count} Sentinels agree on ${addressOf(facts)}`;
    const replicas = Number(fact(facts, 'num-slaves'));
    const what = `${replicas} ${replicas === 1 ? 'replica' : 'replicas'}`;
    screen.out(`${screen.paint('green', 'OK')} ${name}: ${who} with ${what}`);
  }
  if (masters.length === 0) screen.out('This Sentinel watches no master');
}

async function checkMaster(
  client: RespClient,
  like: NodeAddress,
  master: Facts,
): Promise<readonly Finding[]> {
  const name = fact(master, 'name');
  const findings: Finding[] = [];
  const add = (severity: Finding['severity'], message: string): void =>
    void findings.push({ master: name, severity, message });
  if (/[so]_down/.test(fact(master, 'flags'))) {
    add('error', `${addressOf(master)} is down (${fact(master, 'flags')})`);
  }
  await checkQuorum(client, name, (message) => add('error', message));
  const replicas = await listOf(client, 'REPLICAS', name);
  for (const replica of replicas.filter((facts) => !isUsable(facts))) {
    const state = flagsOf(replica).includes('s_down') ? 'is down' : 'has no link to its master';
    add('warning', `replica ${addressOf(replica)} ${state}`);
  }
  if (!replicas.some(couldTakeOver)) add('error', 'no replica could take over');
  for (const other of await listOf(client, 'SENTINELS', name)) {
    const flaw = await disagreement(other, like, master);
    if (flaw !== undefined) add('error', flaw);
  }
  return findings;
}

async function checkQuorum(
  client: RespClient,
  name: string,
  complain: (message: string) => void,
): Promise<void> {
  try {
    await ask(client, 'CKQUORUM', name);
  } catch (error) {
    const reason =
      error instanceof ToolError ? /NOQUORUM (.*)/.exec(error.message)?.[1] : undefined;
    if (reason === undefined) throw error;
    complain(reason);
  }
}

/** What another Sentinel says otherwise; undefined when it agrees. */
async function disagreement(
  other: Facts,
  like: NodeAddress,
  master: Facts,
): Promise<string | undefined> {
  const endpoint = { host: fact(other, 'ip'), port: Number(fact(other, 'port')) };
  const where = `Sentinel ${formatAddress(endpoint)}`;
  let client: RespClient;
  try {
    client = await connectNode(withCredentials(endpoint, like));
  } catch (error) {
    if (error instanceof ToolError) return `${where} cannot be asked: ${error.message}`;
    throw error;
  }
  try {
    const [host, port] = [await ask(client, 'GET-MASTER-ADDR-BY-NAME', fact(master, 'name'))]
      .flat()
      .map((word) => replyText(word ?? ''));
    if (port === undefined) return `${where} does not watch it`;
    const said = formatAddress({ host: host ?? '', port: Number(port) });
    return said === addressOf(master)
      ? undefined
      : `${where} says ${said}, not ${addressOf(master)}`;
  } finally {
    client.close();
  }
}
