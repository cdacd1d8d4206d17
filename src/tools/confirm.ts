/** The question before something is changed. */
import { createInterface } from 'node:readline/promises';
import { ToolError } from './errors.ts';
import type { Screen } from './screen.ts';

/** Returns when the user says yes. Throws ToolError `DECLINED`, or `USAGE` without a terminal to ask on. */
export async function confirm(question: string, screen: Screen): Promise<void> {
  if (!process.stdin.isTTY) {
    throw new ToolError('USAGE', 'Cannot ask whether to go on: no terminal, say --yes');
  }
  const questions = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await questions.question(`${question} (yes/no) `);
    if (!/^y(es)?$/i.test(answer.trim())) {
      throw new ToolError('DECLINED', 'Nothing was changed: the plan was not accepted');
    }
  } finally {
    questions.close();
  }
  screen.note('');
}
