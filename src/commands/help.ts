/** HELP of the containers. */
import { HELP_TEXTS } from './facts/help-texts.ts';
import type { Handler } from './spec.ts';

/** Answers with the help of a container, a line an element. */
export function helpHandler(container: string): Handler {
  return (_context, _request, reply) => {
    const lines = HELP_TEXTS[container] ?? [];
    reply.array(lines.length);
    for (const line of lines) reply.simple(line);
  };
}
