import { expect, test } from 'vitest';
import { type AdminError, adminErrorText } from './admin-commands.ts';
import { type LogEvent, logLevel, logSentence } from './log-events.ts';
import { type VoteFacts, type VoteRefusal, majority, redisRules } from './rules.ts';

const GRANTED: VoteFacts = {
  isVoter: true,
  requestEpoch: 7,
  currentEpoch: 7,
  lastVoteEpoch: 6,
  candidateIsMaster: false,
  isMasterKnown: true,
  isMasterFailed: true,
  isForced: false,
  sinceVoteMs: undefined,
  nodeTimeoutMs: 1000,
  hasStaleSlot: false,
};

test.each<[string, Partial<VoteFacts>, VoteRefusal | undefined]>([
  ['a replica of a failed master gets the vote', {}, undefined],
  ['who serves no slot has no vote', { isVoter: false }, 'notAVoter'],
  ['an old epoch is refused', { requestEpoch: 6 }, 'staleEpoch'],
  ['one vote an epoch', { lastVoteEpoch: 7 }, 'alreadyVoted'],
  ['a master does not stand', { candidateIsMaster: true }, 'candidateIsMaster'],
  ['its master must be known', { isMasterKnown: false }, 'masterUnknown'],
  ['its master must have failed', { isMasterFailed: false }, 'masterIsUp'],
  ['unless the failover is manual', { isMasterFailed: false, isForced: true }, undefined],
  ['one vote a master in two time-outs', { sinceVoteMs: 1999 }, 'votedForMasterRecently'],
  ['and another one after them', { sinceVoteMs: 2000 }, undefined],
  ['a slot claimed with an old epoch', { hasStaleSlot: true }, 'staleSlotOwner'],
])('vote: %s', (_name, facts, refusal) => {
  expect(redisRules.voteRefusal({ ...GRANTED, ...facts })).toBe(refusal);
});

test.each([
  [1, 1],
  [2, 2],
  [3, 2],
  [4, 3],
  [5, 3],
])('a majority of %i masters is %i', (count, votes) => {
  expect(majority(count)).toBe(votes);
  expect(redisRules.isElected(votes, count)).toBe(true);
  expect(redisRules.isElected(votes - 1, count)).toBe(false);
});

test('an equal configEpoch takes no slot away', () => {
  expect(redisRules.isNewerOwner(3, 3)).toBe(false);
  expect(redisRules.isNewerOwner(4, 3)).toBe(true);
});

test.each<[LogEvent, string, string]>([
  [
    { name: 'electionScheduled', delayMs: 0, rank: 0, offset: 1234 },
    'warning',
    'Start of election delayed for 0 milliseconds (rank #0, offset 1234).',
  ],
  [
    { name: 'masterOffsetReceived', offset: 1234 },
    'warning',
    'Received replication offset for paused master manual failover: 1234',
  ],
  [
    { name: 'masterStreamProcessed' },
    'warning',
    'All master replication stream processed, manual failover can start.',
  ],
  [{ name: 'electionStarted', epoch: 7 }, 'warning', 'Starting a failover election for epoch 7.'],
  [{ name: 'electionWon' }, 'warning', "Failover election won: I'm the new master."],
  [{ name: 'markedFail', node: 'X' }, 'notice', 'Marking node X as failing (quorum reached).'],
  [
    { name: 'cannotFailover', reason: 'waitingVotes' },
    'warning',
    'Currently unable to failover: Waiting for votes, but majority still not reached.',
  ],
  [
    { name: 'failCleared', node: 'X', as: 'slotless' },
    'notice',
    'Clear FAIL state for node X: master without slots is reachable again.',
  ],
  [
    { name: 'voteDenied', candidate: 'X', because: 'its master is up' },
    'warning',
    'Failover auth denied to X: its master is up',
  ],
  [{ name: 'stateChanged', state: 'ok' }, 'warning', 'Cluster state changed: ok'],
])('log: $name', (event, level, sentence) => {
  expect([logLevel(event), logSentence(event)]).toEqual([level, sentence]);
});

test.each<[AdminError, string]>([
  [{ reason: 'slotBusy', slot: 5 }, 'Slot 5 is already busy'],
  [{ reason: 'unknownNode', node: 'X' }, 'Unknown node X'],
  [{ reason: 'iAmMaster' }, 'You should send CLUSTER FAILOVER to a replica'],
  [{ reason: 'setSlotOnReplica' }, 'Please use SETSLOT only with masters.'],
  [{ reason: 'invalidAddress', ip: 'no', port: '1' }, 'Invalid node address specified: no:1'],
])('refusal: $reason', (error, text) => {
  expect(adminErrorText(error)).toBe(text);
});
