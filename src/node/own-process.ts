/** What the system is told of the process: its title, and how readily it is killed when memory runs out. */
import type { LogLevel } from '../commands/index.ts';
import type { ConfigRefusal, DirectiveName, Settings } from '../config/index.ts';
import type { OwnProcess } from './ports.ts';
import { processTitle } from './process-title.ts';

/** Source: proc(5), oom_score_adj. */
const SCORE_MAX = 1000;
const SCORE_DIRECTIVES = ['oom-score-adj', 'oom-score-adj-values'] as const;
const TITLE_DIRECTIVES: readonly DirectiveName[] = [
  'bind',
  'port',
  'proc-title-template',
  'tls-port',
];

export interface OwnProcessHost {
  readonly settings: Settings;
  readonly ports: { readonly ownProcess?: OwnProcess; readonly system: { executable: string } };
  readonly configFile: string;
  readonly replication: { readonly isReplica: boolean };
  readonly sentinel: object | undefined;
  log(level: LogLevel, text: string): void;
}

/** Of a node that has a process to itself; of any other it changes nothing. */
export class OwnProcessPart {
  readonly #host: OwnProcessHost;
  /** The score before it was first set; undefined while it is not ours. */
  #baseScore: number | undefined;

  constructor(host: OwnProcessHost) {
    this.#host = host;
  }

  /** What of it does not work is in the log. */
  start(): void {
    this.#setTitle();
    this.#setScore();
  }

  /** Why the new settings cannot be. */
  configure(changed: readonly DirectiveName[]): ConfigRefusal | undefined {
    if (TITLE_DIRECTIVES.some((name) => changed.includes(name))) this.#setTitle();
    const name = SCORE_DIRECTIVES.find((directive) => changed.includes(directive));
    if (name === undefined || this.#setScore()) return undefined;
    return { name, reason: 'Failed to set current oom_score_adj. Check server logs.' };
  }

  /** It is a master or a replica now, which may be killed less or more readily. */
  roleChanged(): void {
    this.#setScore();
  }

  #setTitle(): void {
    const { settings, ports, configFile, sentinel } = this.#host;
    if (ports.ownProcess === undefined || !settings['set-proc-title']) return;
    const { executable } = ports.system;
    const facts = { executable, configFile, isSentinel: sentinel !== undefined };
    ports.ownProcess.setTitle(processTitle(settings, facts));
  }

  /** False when the system does not let us. */
  #setScore(): boolean {
    const { settings, ports, replication } = this.#host;
    const manner = settings['oom-score-adj'];
    const { ownProcess } = ports;
    if (ownProcess === undefined || (manner === 'no' && this.#baseScore === undefined)) return true;
    if (this.#baseScore === undefined) {
      const found = ownProcess.readOomScore();
      if (typeof found === 'string') return this.#fail('read', found);
      this.#baseScore = found;
    }
    const base = this.#baseScore;
    if (manner === 'no') this.#baseScore = undefined;
    const [ofMaster, ofReplica] = settings['oom-score-adj-values'];
    const wanted = replication.isReplica ? ofReplica : ofMaster;
    const score = manner === 'no' ? base : manner === 'absolute' ? wanted : base + wanted;
    const failure = ownProcess.writeOomScore(
      Math.max(-SCORE_MAX, Math.min(SCORE_MAX, Math.trunc(score))),
    );
    return failure === undefined || this.#fail('write', failure);
  }

  #fail(action: 'read' | 'write', reason: string): false {
    this.#host.log('warning', `Unable to ${action} oom_score_adj: ${reason}`);
    return false;
  }
}
