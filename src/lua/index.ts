/**
 * Lua 5.1 for scripts. Knows nothing of Redis, clients or data: what a script may call besides the
 * language's own libraries, others install.
 */
export { numberText, preciseNumberText, textNumber } from './lib/numbers.ts';
