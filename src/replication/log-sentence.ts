/** The words of Redis 7.0 for what replication has to say; `docs/compatibility.md` lists those that are ours. */
import { assertNever } from '../base/index.ts';
import type { ReplicationEvent } from './events.ts';

export interface LogSentence {
  readonly level: 'notice' | 'warning';
  readonly text: string;
}

const notice = (text: string): LogSentence => ({ level: 'notice', text });
const warning = (text: string): LogSentence => ({ level: 'warning', text });

/** Redis says it when the transfer is over or, as is always done here, loaded while it comes. */
const LOADING = 'MASTER <-> REPLICA sync: Loading DB in memory';

export function logSentence(event: ReplicationEvent): readonly LogSentence[] {
  return sourceSentence(event) ?? linkSentence(event);
}

function sourceSentence(event: ReplicationEvent): readonly LogSentence[] | undefined {
  switch (event.name) {
    case 'syncAsked':
      return [notice(`Replica ${event.replica} asks for synchronization`)];
    case 'offsetMalformed':
      return [
        notice(`Replica ${event.replica} asks for synchronization`),
        warning(`Replica ${event.replica} asks for synchronization but with a wrong offset`),
      ];
    case 'fullResyncDecided':
      return fullResyncSentences(event);
    case 'partialResyncAccepted':
      return [
        notice(
          `Partial resynchronization request from ${event.replica} accepted. Sending ${event.sizeBytes} bytes of backlog starting from offset ${event.offset}.`,
        ),
      ];
    case 'backlogCreated':
      return [
        notice(
          `Replication backlog created, my new replication IDs are '${event.replid}' and '${event.replid2}'`,
        ),
      ];
    case 'backlogFreed':
      return [
        notice(
          `Replication backlog freed after ${event.afterSeconds} seconds without connected replicas.`,
        ),
      ];
    case 'snapshotDelayed':
      return [notice('Delay next BGSAVE for diskless SYNC')];
    case 'snapshotQueued':
      return [notice('Current BGSAVE has socket target. Waiting for next BGSAVE for SYNC')];
    case 'snapshotStarted':
      return [notice('Starting BGSAVE for SYNC with target: replicas sockets')];
    case 'snapshotStreamed':
    case 'snapshotAbandoned':
    case 'snapshotSent':
      return snapshotEndSentences(event);
    case 'snapshotFailed':
      return [warning('SYNC failed. BGSAVE child returned an error')];
    case 'replicaOnline':
      return [notice(`Synchronization with replica ${event.replica} succeeded`)];
    case 'replicaLost':
      return [warning(`Connection with replica ${event.replica} lost.`)];
    case 'replicaTimedOut':
      return [warning(`Disconnecting timedout replica (${event.phase} sync): ${event.replica}`)];
    case 'replicaTooSlow':
      return [
        warning(
          `Client ${event.replica} scheduled to be closed ASAP for overcoming of output buffer limits.`,
        ),
      ];
    case 'replidShifted':
      return [
        warning(
          `Setting secondary replication ID to ${event.replid2}, valid up to offset: ${event.secondReplOffset}. New replication ID is ${event.replid}`,
        ),
      ];
    default:
      return undefined;
  }
}

function snapshotEndSentences(
  event: Extract<
    ReplicationEvent,
    { name: 'snapshotStreamed' | 'snapshotAbandoned' | 'snapshotSent' }
  >,
): readonly LogSentence[] | undefined {
  switch (event.name) {
    case 'snapshotStreamed': {
      const count = event.replicaCount;
      const text = `Diskless rdb transfer, done reading from pipe, ${count} replicas still up.`;
      return [notice(text)];
    }
    case 'snapshotAbandoned':
      return [notice('Diskless rdb transfer, last replica dropped, killing fork child.')];
    case 'snapshotSent':
      if (!event.isStreamed) return undefined;
      return [
        notice(
          `Streamed RDB transfer with replica ${event.replica} succeeded (socket). Waiting for REPLCONF ACK from slave to enable streaming`,
        ),
      ];
  }
}

function fullResyncSentences(
  event: Extract<ReplicationEvent, { name: 'fullResyncDecided' }>,
): readonly LogSentence[] {
  const { replica, asked, own } = event;
  const lack = `Unable to partial resync with replica ${replica} for lack of backlog (Replica request was: ${asked.offset}).`;
  switch (event.reason) {
    case 'requested':
      return [notice(`Full resync requested by replica ${replica}`)];
    case 'replidMismatch':
      return [
        notice(
          `Partial resynchronization not accepted: Replication ID mismatch (Replica asked for '${asked.replid}', my replication IDs are '${own.replid}' and '${own.replid2}')`,
        ),
      ];
    case 'secondOffsetExceeded':
      return [
        notice(
          `Partial resynchronization not accepted: Requested offset for second ID was ${asked.offset}, but I can reply up to ${own.secondReplOffset}`,
        ),
      ];
    case 'backlogMissing':
    case 'offsetTooOld':
      return [notice(lack)];
    case 'offsetInFuture':
      return [
        notice(lack),
        warning(
          `Warning: replica ${replica} tried to PSYNC with an offset that is greater than the master replication offset.`,
        ),
      ];
    default:
      return assertNever(event.reason);
  }
}

function linkSentence(event: ReplicationEvent): readonly LogSentence[] {
  switch (event.name) {
    case 'connecting':
      return [notice(`${event.isAgain ? 'Reconnecting' : 'Connecting'} to MASTER ${event.master}`)];
    case 'syncStarted':
      return [notice('MASTER <-> REPLICA sync started')];
    case 'connectFailed':
      return [warning(`Error condition on socket for SYNC: ${event.reason}`)];
    case 'connectionReady':
      return [notice('Non blocking connect for SYNC fired the event.')];
    case 'pingAnswered':
      return [notice('Master replied to PING, replication can continue...')];
    case 'pingRefused':
      return [warning(`Error reply to PING from master: '${event.reply}'`)];
    case 'authRefused':
      return [warning(`Unable to AUTH to MASTER: ${event.reply}`)];
    case 'replconfRefused':
      return [
        notice(
          `(Non critical) Master does not understand REPLCONF ${event.option}: ${event.reply}`,
        ),
      ];
    case 'ownPositionCached':
      return [
        notice(
          'Before turning into a replica, using my own master parameters to synthesize a cached master: I may be able to synchronize with the new master with just a partial transfer.',
        ),
      ];
    case 'streamStopped':
      return [
        warning(
          `MASTER <-> REPLICA sync: stopped before offset ${event.offset}: the data stays as it was`,
        ),
      ];
    case 'foreignWait':
      return [
        warning(
          'MASTER <-> REPLICA sync: the master has what this server does not know, ' +
            `asking for a full copy in ${event.seconds} seconds`,
        ),
      ];
    case 'linkTimedOut':
      return [warning(timeoutText(event.phase))];
    default:
      return transferSentence(event);
  }
}

function timeoutText(phase: 'connecting' | 'transfer' | 'connected'): string {
  switch (phase) {
    case 'connecting':
      return 'Timeout connecting to the MASTER...';
    case 'transfer':
      return "Timeout receiving bulk data from MASTER... If the problem persists try to set the 'repl-timeout' parameter in redis.conf to a larger value.";
    case 'connected':
      return 'MASTER timeout: no data nor PING received...';
  }
}

function transferSentence(event: ReplicationEvent): readonly LogSentence[] {
  switch (event.name) {
    case 'partialResyncTried':
      return [
        notice(`Trying a partial resynchronization (request ${event.replid}:${event.offset}).`),
      ];
    case 'noCachedMaster':
      return [notice('Partial resynchronization not possible (no cached master)')];
    case 'fullResyncAnswered':
      return [notice(`Full resync from master: ${event.replid}:${event.offset}`)];
    case 'partialResyncDone':
      return [
        notice('Successful partial resynchronization with master.'),
        notice('MASTER <-> REPLICA sync: Master accepted a Partial Resynchronization.'),
      ];
    case 'masterReplidChanged':
      return [warning(`Master replication ID changed to ${event.replid}`)];
    case 'masterNotReady':
      return [
        notice(`Master is currently unable to PSYNC but should be in the future: ${event.reply}`),
      ];
    case 'psyncUnsupported':
      return [
        notice(`Master does not support PSYNC or is in error state (reply: ${event.reply})`),
        notice('Retrying with SYNC...'),
      ];
    case 'answerMalformed':
      return [warning(`Unexpected reply to PSYNC from master: ${event.reply}`)];
    case 'masterAborted':
      return [warning(`MASTER aborted replication with an error: ${event.reply}`)];
    case 'payloadMalformed':
      return [
        warning(
          `Bad protocol from MASTER, the first byte is not '$' (we received '${event.reply}'), are you sure the host and port are right?`,
        ),
      ];
    case 'receivingStreamed':
      return [
        notice('MASTER <-> REPLICA sync: receiving streamed RDB from master with EOF to parser'),
        notice(LOADING),
      ];
    case 'receivingSized':
      return [
        notice(`MASTER <-> REPLICA sync: receiving ${event.sizeBytes} bytes from master to parser`),
        notice(LOADING),
      ];
    case 'transferLost':
      return [warning(`I/O error trying to sync with MASTER: ${event.reason}`)];
    case 'loadFailed':
      return [warning(`Failed trying to load the MASTER synchronization DB: ${event.reason}`)];
    case 'syncFinished':
      return [notice('MASTER <-> REPLICA sync: Finished with success')];
    case 'masterLost':
      return [warning('Connection with master lost.')];
    case 'masterCached':
      return [notice('Caching the disconnected master state.')];
    case 'cacheDiscarded':
      return [notice('Discarding previously cached master state.')];
    default:
      return [];
  }
}
