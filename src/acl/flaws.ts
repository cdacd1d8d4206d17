/** What can be wrong with a rule, in Redis's words. Source: ACL SETUSER of redis-server 7.0.15. */

export type RuleFlaw =
  | 'unknown'
  | 'syntax'
  | 'firstArgumentOfSubcommand'
  | 'keysAfterAll'
  | 'channelsAfterAll'
  | 'noSuchPassword'
  | 'badHash';

const TEXTS: Readonly<Record<RuleFlaw, string>> = {
  unknown: 'Unknown command or category name in ACL',
  syntax: 'Syntax error',
  firstArgumentOfSubcommand: 'Allowing first-arg of a subcommand is not supported',
  keysAfterAll:
    "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any effect. Try 'resetkeys' to start with an empty list of patterns",
  channelsAfterAll:
    "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not have any effect. Try 'resetchannels' to start with an empty list of channels",
  noSuchPassword: 'The password you are trying to remove from the user does not exist',
  badHash:
    'The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters',
};

export function flawText(flaw: RuleFlaw): string {
  return TEXTS[flaw];
}
