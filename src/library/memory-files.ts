/** The working directory of a node, in memory: it outlives the node, not the process. */
import type { Files } from '../node/index.ts';

export function memoryFiles(): Files {
  const texts = new Map<string, string>();
  return {
    read: (name) => texts.get(name),
    replace: (name, text) => {
      texts.set(name, text);
      return undefined;
    },
  };
}
