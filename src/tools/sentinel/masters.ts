/** `slotline sentinel masters`: what a Sentinel watches, and where it is. */
import type { NodeAddress } from '../../client/index.ts';
import type { ExitStatus } from '../errors.ts';
import { type Screen, tableLines } from '../screen.ts';
import { type Facts, addressOf, withSentinel, fact, flagsOf, mastersOf } from './ask.ts';

/** Status 0 when all masters are up, 1 when one is not. Throws ToolError. */
export async function showMasters(
  seeds: readonly NodeAddress[],
  screen: Screen,
): Promise<ExitStatus> {
  return withSentinel(seeds, async (client) => {
    const masters = await mastersOf(client);
    const isOk = masters.every((facts) => stateOf(facts) === 'up');
    screen.json({ ok: isOk, sentinel: client.name, masters: masters.map(masterLine) });
    const rows = masters.map((facts) => [
      fact(facts, 'name'),
      addressOf(facts),
      stateOf(facts),
      ...['num-slaves', 'num-other-sentinels', 'quorum', 'config-epoch'].map((name) =>
        fact(facts, name),
      ),
    ]);
    const header = ['MASTER', 'ADDRESS', 'STATE', 'REPLICAS', 'OTHER SENTINELS', 'QUORUM', 'EPOCH'];
    for (const line of tableLines(header, rows, [3, 4, 5, 6])) screen.out(line);
    return isOk ? 0 : 1;
  });
}

function stateOf(facts: Facts): string {
  const flags = flagsOf(facts);
  if (flags.includes('failover_in_progress')) return `failover (${fact(facts, 'failover-state')})`;
  if (flags.includes('o_down')) return 'ODOWN';
  if (flags.includes('s_down')) return 'SDOWN';
  return flags.includes('disconnected') ? 'disconnected' : 'up';
}

/** One master of the JSON result. */
function masterLine(facts: Facts): Readonly<Record<string, string | number | readonly string[]>> {
  return {
    name: fact(facts, 'name'),
    address: addressOf(facts),
    state: stateOf(facts),
    flags: flagsOf(facts),
    replicas: Number(fact(facts, 'num-slaves')),
    otherSentinels: Number(fact(facts, 'num-other-sentinels')),
    quorum: Number(fact(facts, 'quorum')),
    configEpoch: Number(fact(facts, 'config-epoch')),
  };
}
