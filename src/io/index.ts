/**
 * The node on a real machine: sockets, files, timers and the process. Gathers what happens and
 * carries out what the node decides.
 */
export { type AdminPlace, type AskNode, type RunOptions, runServer } from './main.ts';
export { type LogWriter } from './log-file.ts';
export {
  type Entrance,
  ServerProcess,
  type ServerProcessOptions,
  StartError,
} from './server-process.ts';
export { asSentinel, readSentinel } from './sentinel-start.ts';
export { VERSION } from './version.ts';
export { readWhole, replaceWhole } from './whole-file.ts';
