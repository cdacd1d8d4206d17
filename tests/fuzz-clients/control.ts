/** The connection beside the clients: what the server says about them and about its data, in one round trip. */
import { Pipeline } from '../fuzz-commands/connection.ts';
import type { Step } from '../fuzz-commands/program.ts';
import { stepOf } from '../fuzz-commands/server.ts';
import { content, encodeSteps } from '../fuzz-commands/wire.ts';

const QUESTIONS: readonly Step[] = [
  stepOf('INFO', 'stats'),
  stepOf('INFO', 'clients'),
  stepOf('CLIENT', 'LIST'),
  stepOf('DEBUG', 'DIGEST'),
];

/** What CLIENT LIST says of a client. */
export interface ListedClient {
  readonly id: string;
  readonly port: number;
  readonly isBlocked: boolean;
  /** Fields that must agree, as there. */
  readonly state: string;
}

export interface View {
  /** All bytes that the server has read from clients. */
  readonly inputBytes: number;
  readonly blockedCount: number;
  readonly clients: readonly ListedClient[];
  readonly digest: string;
}

export class Control {
  readonly #pipeline: Pipeline;
  #sentBytes = 0;

  private constructor(pipeline: Pipeline) {
    this.#pipeline = pipeline;
  }

  static async open(port: number): Promise<Control> {
    return new Control(await Pipeline.open(port));
  }

  /** In all, since it was opened. */
  get sentBytes(): number {
    return this.#sentBytes;
  }

  async run(...steps: readonly Step[]): Promise<readonly Buffer[]> {
    this.#sentBytes += encodeSteps(steps).length;
    return this.#pipeline.run(steps);
  }

  async look(): Promise<View> {
    const replies = await this.run(...QUESTIONS);
    const [stats = '', clients = '', list = '', digest = ''] = replies.map((reply) =>
      content(reply).toString('latin1'),
    );
    return {
      inputBytes: figure(stats, 'total_net_input_bytes'),
      blockedCount: figure(clients, 'blocked_clients'),
      clients: parseClientList(list),
      digest,
    };
  }

  close(): void {
    this.#pipeline.close();
  }
}

function figure(info: string, name: string): number {
  return Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1]);
}

const COMPARED: readonly string[] = [
  ...['name', 'flags', 'db', 'sub', 'psub', 'ssub', 'multi', 'cmd', 'user', 'redir', 'resp'],
];

export function parseClientList(list: string): ListedClient[] {
  return list
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const fields = new Map(line.split(' ').map((field) => pairOf(field)));
      const state = COMPARED.map((name) => `${name}=${fields.get(name) ?? '?'}`);
      return {
        id: fields.get('id') ?? '',
        port: Number(fields.get('addr')?.split(':').at(-1)),
        isBlocked: fields.get('flags')?.includes('b') === true,
        state: state.join(' '),
      };
    });
}

function pairOf(field: string): readonly [name: string, value: string] {
  const at = field.indexOf('=');
  return [field.slice(0, at), field.slice(at + 1)];
}
