/** What a configuration may ask for that this server would have to ignore: it does not start then, for safety's sake. */
import type { LoadedConfig } from '../config/index.ts';

/** Why the server must not start with this configuration, in one line; undefined when it may. */
export function unsupportedText({ modules }: LoadedConfig): string | undefined {
  if (modules.length > 0) return refusal('loadmodule', 'Modules', 'remove the line');
  return undefined;
}

function refusal(directive: string, what: string, advice: string): string {
  return `Fatal error, "${directive}" cannot be obeyed: ${what} are not supported yet, ${advice}`;
}
