/** Runs a tool for a program: its screen, its exit status, and its errors as one line. */
import { InvalidArgumentError } from 'commander';
import type { ExitStatus, Screen } from '../tools/index.ts';

/** Runs `tool`, sets the exit status and ends the process. Errors that are not a tool's own end it as a bug does. */
export async function runTool(
  isJson: boolean,
  tool: (screen: Screen) => Promise<ExitStatus>,
): Promise<void> {
  const { ToolError, asToolError, terminalScreen } = await import('../tools/index.ts');
  const screen = terminalScreen({ isJson });
  try {
    process.exitCode = await tool(screen);
  } catch (thrown) {
    const error = asToolError(thrown);
    if (!(error instanceof ToolError)) throw error;
    screen.note(`slotline: ${error.message.replaceAll(/\s*\n\s*/g, ' ')}`);
    screen.json({ ok: false, error: { code: error.code, message: error.message } });
    process.exitCode = error.status;
  }
}

/** Parser of options that count something. */
export function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('Give a whole number.');
  return Number(text);
}

/** The same, at least 1. */
export function atLeastOne(text: string): number {
  const count = wholeNumber(text);
  if (count < 1) throw new InvalidArgumentError('Give a number of at least 1.');
  return count;
}
