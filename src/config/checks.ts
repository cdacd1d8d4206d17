/** Rules that a single value must keep beyond its type. Texts are those of redis-server 7.0.15. */
import type { CheckName, DirectiveValue } from './directive.ts';

const HOSTNAME_SIZE_MAX = 255;
/** Variables of proc-title-template, and whether their value can be blank. */
const TITLE_VARIABLES: ReadonlyMap<string, 'blank' | 'filled'> = new Map([
  ['title', 'blank'],
  ['listen-addr', 'filled'],
  ['server-mode', 'blank'],
  ['port', 'filled'],
  ['tls-port', 'filled'],
  ['unixsocket', 'blank'],
  ['config-file', 'filled'],
]);

/** Why the value is refused, or undefined when it may stand. */
export function checkValue(check: CheckName, value: DirectiveValue): string | undefined {
  if (check === 'noDefrag') return value === true ? DEFRAG_TEXT : undefined;
  return typeof value === 'string' ? checkText(check, value) : undefined;
}

const DEFRAG_TEXT =
  'Active defragmentation cannot be enabled: it requires a Redis server compiled with a modified ' +
  'Jemalloc like the one shipped by default with the Redis source distribution';

function checkText(check: Exclude<CheckName, 'noDefrag'>, text: string): string | undefined {
  switch (check) {
    case 'fileName':
      if (text === '') return "appendfilename can't be empty";
      return text.includes('/') ? "appendfilename can't be a path, just a filename" : undefined;
    case 'directoryName':
      if (text === '') return "appenddirname can't be empty";
      return text.includes('/') ? "appenddirname can't be a path, just a dirname" : undefined;
    case 'optionalFileName':
      return text.includes('/') ? "dbfilename can't be a path, just a filename" : undefined;
    case 'hostname':
      if (text.length > HOSTNAME_SIZE_MAX) return 'Hostnames must be less than 256 characters';
      return /^[a-zA-Z0-9.-]*$/.test(text)
        ? undefined
        : 'Hostnames may only contain alphanumeric characters, hyphens or dots';
    case 'titleTemplate':
      return isTitleTemplate(text)
        ? undefined
        : 'template format is invalid or contains unknown variables';
  }
}

/** `{name}` must be a known variable, `{{` is a brace, and the title must not come out blank. */
function isTitleTemplate(text: string): boolean {
  let hasContent = false;
  for (const part of text.matchAll(/\{\{|\{([^}]*)(\}?)|[^{]+/g)) {
    const [whole, variable, close] = part;
    if (variable === undefined) {
      if (whole.trim() !== '') hasContent = true;
      continue;
    }
    const content = TITLE_VARIABLES.get(variable);
    if (close === '' || content === undefined) return false;
    if (content === 'filled') hasContent = true;
  }
  return hasContent;
}
