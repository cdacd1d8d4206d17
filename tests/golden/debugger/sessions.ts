/**
 * Sessions of the debugger as text: what a client sends, and what it is told. A file holds several, each as follows.
 *
 *   === name of the session
 *   $ SET k v                 commands that come before it, on another connection
 *   @ k1 k2 , a1              keys and arguments of the script
 *   | return KEYS[1]          the script, line by line
 *     * Stopped at 1, …       what is told, two blanks before each line; addresses are left out
 *   > step                    what the client sends, or `> ["eval","return 'a b'"]`
 *   = "$2\r\nk1\r\n"          the script's answer behind the end of the session, as JSON
 */

export interface DebuggedScript {
  readonly name: string;
  readonly before: readonly (readonly string[])[];
  readonly keys: readonly string[];
  readonly args: readonly string[];
  readonly text: string;
  readonly commands: readonly (readonly string[])[];
}

/** A connection, and another one for what comes before. */
export interface Conversation {
  /** Carries a command out; nobody needs the answer. */
  prepare(args: readonly string[]): Promise<void>;
  /** All bytes that answer a command, one character a byte. */
  send(args: readonly string[]): Promise<string>;
}

const END = '+<endsession>\r\n';

/** What the client sends in the sessions of a file; what it is told is passed over. */
export function readScripts(file: string): DebuggedScript[] {
  return file.split(/^=== /m).slice(1).map(readScript);
}

function readScript(section: string): DebuggedScript {
  const [name, ...lines] = section.split('\n');
  const after = (mark: string): string[] =>
    lines.filter((line) => line.startsWith(mark)).map((line) => line.slice(mark.length));
  const words = after('@ ')[0]?.split(' ') ?? [','];
  const comma = words.indexOf(',');
  return {
    name: name!,
    before: after('$ ').map((line) => line.split(' ')),
    keys: words.slice(0, comma).filter((word) => word !== ''),
    args: words.slice(comma + 1),
    text: after('| ')
      .map((line) => line.replaceAll(/\\x([0-9a-f]{2})/g, (_all, hex: string) => byte(hex)))
      .join('\n'),
    commands: after('> ').map((line) =>
      line.startsWith('[') ? (JSON.parse(line) as string[]) : line.split(' '),
    ),
  };
}

function byte(hex: string): string {
  return String.fromCharCode(Number.parseInt(hex, 16));
}

/** Runs a session, and writes down what was said. @param mode the word behind SCRIPT DEBUG */
export async function transcript(
  script: DebuggedScript,
  talk: Conversation,
  mode: string,
): Promise<string> {
  const { name, before, keys, args, text, commands } = script;
  const found = [`=== ${name}`, ...before.map((each) => `$ ${each.join(' ')}`)];
  if (keys.length + args.length > 0) found.push(`@ ${[...keys, ',', ...args].join(' ')}`);
  for (const line of text.split('\n')) found.push(`| ${escaped(line)}`);
  for (const each of before) await talk.prepare(each);
  await talk.send(['SCRIPT', 'DEBUG', mode]);
  let reply = await talk.send(['EVAL', text, String(keys.length), ...keys, ...args]);
  found.push(...toldLines(reply));
  for (const command of commands) {
    if (reply.includes(END)) break;
    const isPlain = command.every((word) => /^[!-~]+$/.test(word)) && !command[0]!.startsWith('[');
    found.push(`> ${isPlain ? command.join(' ') : JSON.stringify(command)}`);
    reply = await talk.send(command);
    found.push(...toldLines(reply));
  }
  return `${found.join('\n')}\n`;
}

/** The lines of a reply; behind the last of a session the script's own. */
function toldLines(reply: string): string[] {
  const end = reply.indexOf(END);
  const whole = end < 0 ? reply : reply.slice(0, end + END.length);
  const lines = whole
    .split('\r\n')
    .slice(1, -1)
    .map((line) => `  ${escaped(line.slice(1).replaceAll(/@0x[0-9a-f]+/g, '@0x'))}`);
  if (end >= 0) lines.push(`= ${JSON.stringify(reply.slice(whole.length))}`);
  return lines;
}

/** Bytes that no text shows. */
function escaped(line: string): string {
  return line.replaceAll(
    /[^ -~]/g,
    (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}
