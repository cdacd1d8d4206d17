/**
 * What a master of ours says to replicas of ours in its stream. It stands in the argument of a PING, which any other server
 * carries out without an effect: an unknown command would be an error of its master there, and with
 * `propagation-error-behavior panic` its end.
 */
import { encodeCommand } from './wire.ts';

const MARK = 'slotline:';

/** `sentence`: words with a space between them. */
export function encodeAside(sentence: string): Buffer {
  return encodeCommand('PING', MARK + sentence);
}

/** The words that the argument of a PING brings; undefined when it is no such PING. */
export function asideWords(argument: string): readonly string[] | undefined {
  return argument.startsWith(MARK) ? argument.slice(MARK.length).split(' ') : undefined;
}
