/**
 * Libraries of functions on both sides. They are no keys: what differs is told beside the comparison and leaves its
 * outcome as it is.
 */
import { type Deployment, formatAddress } from '../../client/index.ts';
import { ReplyError } from '../../resp/index.ts';
import { librariesOf } from '../flow/index.ts';
import type { Screen } from '../screen.ts';

type Libraries = ReadonlyMap<string, Buffer>;

/** Tells which libraries a master of the target has not as the first master of the source has them, and the other way round. */
export async function tellLibraries(
  source: Deployment,
  target: Deployment,
  screen: Screen,
): Promise<void> {
  const wanted = await ofMaster(source, 0);
  if (wanted === undefined) return;
  for (const [index, master] of target.masters().entries()) {
    const found = await ofMaster(target, index);
    if (found === undefined) continue;
    for (const { name, text } of differences(wanted, found)) {
      const node = formatAddress(master);
      screen.event({ event: 'library', node, name, difference: text });
      screen.out(
        `${screen.paint('yellow', 'WARNING')} function library ${name}: ${text} (${node})`,
      );
    }
  }
}

/** Undefined where they cannot be asked for. */
async function ofMaster(deployment: Deployment, index: number): Promise<Libraries | undefined> {
  try {
    return await librariesOf(await deployment.connection(index));
  } catch (error) {
    if (error instanceof ReplyError) return undefined;
    throw error;
  }
}

function differences(
  wanted: Libraries,
  found: Libraries,
): readonly { readonly name: string; readonly text: string }[] {
  const names = [...new Set([...wanted.keys(), ...found.keys()])].sort();
  return names.flatMap((name) => {
    const [here, there] = [wanted.get(name), found.get(name)];
    if (here === undefined) return [{ name, text: 'only on the target' }];
    if (there === undefined) return [{ name, text: 'only on the source' }];
    return here.equals(there) ? [] : [{ name, text: 'the code differs' }];
  });
}
