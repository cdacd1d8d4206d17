/** The process that runs one node and nothing else. */
import { readFileSync, writeFileSync } from 'node:fs';
import type { OwnProcess } from '../node/index.ts';
import { attempt, systemWords } from './system-words.ts';

/** Source: proc(5); there is none on other systems than Linux. */
const OOM_SCORE_FILE = '/proc/self/oom_score_adj';

export const machineProcess: OwnProcess = {
  setTitle: (title) => {
    process.title = title;
  },
  readOomScore: () => {
    try {
      return Number(readFileSync(OOM_SCORE_FILE, 'latin1'));
    } catch (error) {
      return systemWords(error);
    }
  },
  writeOomScore: (score) => attempt(() => writeFileSync(OOM_SCORE_FILE, String(score))),
};
