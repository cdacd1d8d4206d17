/**
 * One line of redis.conf, nodes.conf or an inline request cut into arguments, and the way back.
 * Text is one byte a character (latin1). Source: redis.conf of 7.0, its introduction; behaviour of redis-server 7.0.15.
 */

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  b: '\b',
  a: '\x07',
};

const BLANK = /[ \t\n\v\f\r]/;
const WORD_END = /[ \n\r\t\0]/;
const HEX_PAIR = /^[0-9a-fA-F]{2}$/;

interface Piece {
  readonly text: string;
  /** Index after the closing quote. */
  readonly end: number;
}

/**
 * The arguments of a line: separated by blanks; `"…"` with `\n \r \t \b \a \xHH` and `\` before any other character,
 * `'…'` with only `\'`. Undefined when a quote is not closed, or is closed in the middle of a word.
 */
export function splitArguments(line: string): string[] | undefined {
  const words: string[] = [];
  let at = 0;
  for (;;) {
    while (at < line.length && BLANK.test(line[at]!)) at++;
    if (at >= line.length || line[at] === '\0') return words;
    let word = '';
    while (at < line.length && !WORD_END.test(line[at]!)) {
      const char = line[at]!;
      if (char !== '"' && char !== "'") {
        word += char;
        at++;
        continue;
      }
      const piece = char === '"' ? doubleQuoted(line, at + 1) : singleQuoted(line, at + 1);
      if (piece === undefined) return undefined;
      word += piece.text;
      at = piece.end;
      if (at < line.length && !BLANK.test(line[at]!)) return undefined;
      break;
    }
    words.push(word);
  }
}

function doubleQuoted(line: string, start: number): Piece | undefined {
  let text = '';
  let at = start;
  while (at < line.length) {
    const char = line[at]!;
    if (char === '"') return { text, end: at + 1 };
    if (char !== '\\' || at + 1 >= line.length) {
      text += char;
      at++;
      continue;
    }
    const next = line[at + 1]!;
    const hex = line.slice(at + 2, at + 4);
    if (next === 'x' && HEX_PAIR.test(hex)) {
      text += String.fromCharCode(Number.parseInt(hex, 16));
      at += 4;
    } else {
      text += ESCAPES[next] ?? next;
      at += 2;
    }
  }
  return undefined;
}

function singleQuoted(line: string, start: number): Piece | undefined {
  let text = '';
  let at = start;
  while (at < line.length) {
    const char = line[at]!;
    if (char === "'") return { text, end: at + 1 };
    if (char === '\\' && line[at + 1] === "'") {
      text += "'";
      at += 2;
    } else {
      text += char;
      at++;
    }
  }
  return undefined;
}

const QUOTED: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '"': '\\"',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\b': '\\b',
  '\x07': '\\a',
};

/** The text in double quotes, so that `splitArguments` gives it back; what is not printable ASCII becomes `\xHH`. */
export function quoteArgument(text: string): string {
  let quoted = '"';
  for (const char of text) {
    const code = char.charCodeAt(0);
    const escape = QUOTED[char];
    if (escape !== undefined) quoted += escape;
    else if (code >= 0x20 && code < 0x7f) quoted += char;
    else quoted += `\\x${code.toString(16).padStart(2, '0')}`;
  }
  return `${quoted}"`;
}
