/** ACL files: one `user` line a user. Source: ACL LOAD and ACL SAVE of redis-server 7.0.15. */
import { type Acl, isUserName, joinedRules } from './acl.ts';
import { flawText } from './flaws.ts';
import type { User } from './user.ts';

const UNCHANGED =
  'WARNING: ACL errors detected, no change to the previously active ACL rules was performed';

/** The users of a file's text, or all that is wrong with it in one line. */
export function readAclFile(
  acl: Acl,
  path: string,
  text: string,
): { readonly users: readonly User[] } | { readonly flaw: string } {
  const users: User[] = [];
  let flaw = '';
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '') continue;
    const read = readLine(acl, line, users, { path, number: index + 1 });
    if (typeof read === 'string') flaw += read;
    else users.push(read);
  }
  return flaw === '' ? { users } : { flaw: flaw + UNCHANGED };
}

/** The text of a file with all users. */
export function aclFileText(acl: Acl): string {
  return acl
    .users()
    .map(({ name, text }) => `user ${name} ${text}\n`)
    .join('');
}

function readLine(
  acl: Acl,
  line: string,
  before: readonly User[],
  { path, number }: { readonly path: string; readonly number: number },
): User | string {
  const [word, name, ...words] = line.split(' ');
  if (word !== 'user' || name === undefined || name === '') {
    return `${path}:${number} should start with user keyword followed by the username. `;
  }
  if (before.some((each) => each.name === name)) {
    return `WARNING: Duplicate user '${name}' found on line ${number}. `;
  }
  if (!isUserName(name))
    return `'${path}:${number}: username '${name}' contains invalid characters. `;
  const joined = joinedRules(words.filter(Boolean));
  if ('unmatched' in joined) {
    return `${path}:${number}: Unmatched parenthesis in selector definition.`;
  }
  const user = acl.create(name);
  for (const rule of joined.rules) {
    const flaw = user.apply(rule);
    if (flaw !== undefined) {
      return `${path}:${number}: Error in applying operation '${rule}': ${flawText(flaw)}. `;
    }
  }
  return user;
}
