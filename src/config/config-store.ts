/**
 * The settings of a running node and the rules of CONFIG GET and CONFIG SET over them.
 */
import { globMatches, upToZero } from '../base/index.ts';
import type { DirectiveValue } from './directive.ts';
import {
  type DirectiveName,
  type FoundDirective,
  type Settings,
  everyCalledName,
  findDirective,
} from './directives.ts';
import { DIRECTIVES } from './directives.ts';
import { type Parsed, accept, refuse } from './special-values.ts';
import { parseValue, valueText } from './values.ts';

/** The node's no to a new value: which directive, and why if there is more to say. */
export interface ConfigRefusal {
  readonly name: DirectiveName;
  readonly reason?: string;
}

export interface ConfigSetOptions {
  /** Whether the client may set directives marked `protected` with `enable-protected-configs local`. */
  readonly isLocalClient: boolean;
  /**
   * Puts the changed directives into effect, all at once; `settings` already hold the new values. When it refuses,
   * they are put back and it is called again with the same names, to restore.
   */
  readonly apply: (changed: readonly DirectiveName[]) => ConfigRefusal | undefined;
  /** The absolute path of a directory, seen from the present one, or why nothing can work in it. */
  readonly directory: (path: string) => string | { readonly failure: string };
}

export type ConfigSetResult =
  | { readonly ok: true; readonly changed: readonly DirectiveName[] }
  /** Error reply with its code, without the leading `-`. */
  | { readonly ok: false; readonly error: string };

interface Assignment {
  readonly found: FoundDirective;
  readonly text: string;
}

type MutableSettings = { -readonly [N in DirectiveName]: Settings[N] };

export class ConfigStore {
  /** Always the same object: whoever keeps it sees every change. */
  readonly settings: Settings;

  constructor(settings: Settings) {
    this.settings = { ...settings };
  }

  /** Sets a directive from inside (the role changed, the working directory became known): no rule is asked. */
  assign<N extends DirectiveName>(name: N, value: Settings[N]): void {
    (this.settings as MutableSettings)[name] = value;
  }

  /** The value of a directive as CONFIG GET shows it. */
  text(name: DirectiveName): string {
    return valueText(DIRECTIVES[name], this.settings[name]);
  }

  /**
   * Names and values for CONFIG GET, each name once. A pattern without wildcards finds hidden directives too, and its
   * name comes back as the client wrote it.
   */
  get(patterns: readonly string[]): readonly (readonly [string, string])[] {
    const found = new Map<string, readonly [string, string]>();
    for (const pattern of patterns) {
      if (!/[*?[]/.test(pattern)) {
        const exact = findDirective(pattern);
        if (exact !== undefined && !found.has(exact.calledName)) {
          found.set(exact.calledName, [pattern, this.text(exact.name)]);
        }
        continue;
      }
      for (const { name, spec, calledName } of everyCalledName()) {
        if (spec.isHidden === true || found.has(calledName)) continue;
        if (matches(pattern, calledName)) found.set(calledName, [calledName, this.text(name)]);
      }
    }
    return [...found.values()];
  }

  /** CONFIG SET: all pairs or none. `pairs` are name and value, at least one, each value one argument. */
  set(pairs: readonly (readonly [string, string])[], options: ConfigSetOptions): ConfigSetResult {
    const checked = this.#check(pairs, options.isLocalClient);
    if (typeof checked === 'string') return { ok: false, error: checked };
    const before = new Map<DirectiveName, DirectiveValue>();
    const changed = new Set<DirectiveName>();
    for (const { found, text } of checked) {
      const { name, spec, calledName } = found;
      const parsed =
        name === 'dir'
          ? parseDirectory(text, options)
          : parseValue(spec, [text], name === 'save' ? [] : this.settings[name]);
      if (!parsed.ok) {
        this.#restore(before);
        return { ok: false, error: setFailed(calledName, parsed.reason) };
      }
      if (valueText(spec, parsed.value) === this.text(name)) continue;
      if (!before.has(name)) before.set(name, this.settings[name]);
      changed.add(name);
      this.#put(name, parsed.value);
    }
    const names = [...changed];
    const refusal = names.length === 0 ? undefined : options.apply(names);
    if (refusal === undefined) return { ok: true, changed: names };
    this.#restore(before);
    options.apply(names);
    const called = checked.find(({ found }) => found.name === refusal.name);
    return {
      ok: false,
      error: setFailed(called?.found.calledName ?? refusal.name, refusal.reason),
    };
  }

  /** Names first, all of them, so that no value is touched when one is wrong; the first wrong one is reported. */
  #check(
    pairs: readonly (readonly [string, string])[],
    isLocalClient: boolean,
  ): string | readonly Assignment[] {
    const assignments: Assignment[] = [];
    const seen = new Set<string>();
    for (const [name, text] of pairs) {
      const found = findDirective(name);
      if (found === undefined) {
        return `ERR Unknown option or number of arguments for CONFIG SET - '${upToZero(name)}'`;
      }
      const { change } = found.spec;
      if (change === 'immutable') return setFailed(name, "can't set immutable config");
      if (change === 'protected' && !this.#mayChangeProtected(isLocalClient)) {
        return setFailed(name, "can't set protected config");
      }
      if (seen.has(found.calledName)) return setFailed(name, 'duplicate parameter');
      seen.add(found.calledName);
      assignments.push({ found, text });
    }
    return assignments;
  }

  #mayChangeProtected(isLocalClient: boolean): boolean {
    const allowed = this.settings['enable-protected-configs'];
    return allowed === 'yes' || (allowed === 'local' && isLocalClient);
  }

  #restore(before: ReadonlyMap<DirectiveName, DirectiveValue>): void {
    for (const [name, value] of before) this.#put(name, value);
  }

  /** `value` came from `parseValue` with the specification of `name`, or was its value before. */
  #put(name: DirectiveName, value: DirectiveValue): void {
    (this.settings as Record<DirectiveName, DirectiveValue>)[name] = value;
  }
}

function parseDirectory(path: string, { directory }: ConfigSetOptions): Parsed<string> {
  const found = directory(path);
  return typeof found === 'string' ? accept(found) : refuse(found.failure);
}

function setFailed(name: string, reason: string | undefined): string {
  const head = `ERR CONFIG SET failed (possibly related to argument '${name}')`;
  return reason === undefined ? head : `${head} - ${reason}`;
}

function matches(pattern: string, name: string): boolean {
  const patternBytes = Buffer.from(pattern, 'latin1');
  const nameBytes = Buffer.from(name, 'latin1');
  return globMatches(patternBytes, 0, patternBytes.length, nameBytes, 0, nameBytes.length, true);
}
