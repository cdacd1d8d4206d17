/** The working directory of a node, in memory: it outlives the node, not the process. */
import { MemoryFiles, type Files } from '../node/index.ts';

export function memoryFiles(): Files {
  return new MemoryFiles((run) => void setImmediate(run));
}
