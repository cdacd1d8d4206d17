/** The tokens of a text with one to look ahead at, and the checks that all of the parser shares. */
import { END, Lexer, NAME, STRING, type Token } from './lexer.ts';
import { Scope } from './scope.ts';
import type { FunctionNode } from './syntax.ts';
import type { LuaError } from './values.ts';

/** Blocks and expressions inside each other. Source: Lua 5.1, luaconf.h, LUAI_MAXCCALLS. */
export const LEVELS_MAX = 200;

export class TokenReader {
  readonly scope: Scope = new Scope();
  readonly #lexer: Lexer;
  #token: Token;
  #ahead: Token | undefined = undefined;
  /** Line of the token before this one. */
  #lastLine = 1;
  #levels = 0;

  constructor(text: string, chunkName: string) {
    this.#lexer = new Lexer(text, chunkName);
    this.#token = this.#lexer.next();
  }

  get source(): string {
    return this.#lexer.source;
  }

  get kind(): string {
    return this.#token.kind;
  }

  get token(): Token {
    return this.#token;
  }

  /** The line that errors of syntax name. */
  get line(): number {
    return this.#lexer.line;
  }

  get lastLine(): number {
    return this.#lastLine;
  }

  get levels(): number {
    return this.#levels;
  }

  advance(): void {
    this.#lastLine = this.#lexer.line;
    this.#token = this.#ahead ?? this.#lexer.next();
    this.#ahead = undefined;
  }

  lookAhead(): string {
    this.#ahead ??= this.#lexer.next();
    return this.#ahead.kind;
  }

  /** Whether the token is of a kind; if so it is gone. */
  accept(kind: string): boolean {
    if (this.#token.kind !== kind) return false;
    this.advance();
    return true;
  }

  expect(kind: string): void {
    if (!this.accept(kind)) throw this.expected(kind);
  }

  /** Expects what closes something opened at `line`. */
  expectClose(kind: string, opener: string, line: number): void {
    if (this.accept(kind)) return;
    if (line === this.line) throw this.expected(kind);
    throw this.error(`'${kind}' expected (to close '${opener}' at line ${line})`);
  }

  name(): string {
    if (this.#token.kind !== NAME) throw this.expected(NAME);
    return this.#takeValue();
  }

  string(): string {
    if (this.#token.kind !== STRING) throw this.expected(STRING);
    return this.#takeValue();
  }

  expected(kind: string): LuaError {
    return this.error(`'${kind}' expected`);
  }

  /** An error near the token. */
  error(message: string): LuaError {
    return this.#lexer.error(message, this.#token.text);
  }

  enterLevel(): void {
    if (++this.#levels > LEVELS_MAX) {
      throw this.#lexer.error('chunk has too many syntax levels');
    }
  }

  leaveLevel(): void {
    this.#levels--;
  }

  /** Fails with the words for a function that has too much of something. */
  checkLimit(count: number, max: number, what: string, node: FunctionNode = this.scope.node): void {
    if (count <= max) return;
    const where = node.parent === undefined ? 'main function' : `function at line ${node.line}`;
    throw this.#lexer.error(`${where} has more than ${max} ${what}`);
  }

  get isAtBlockEnd(): boolean {
    const { kind } = this.#token;
    return (
      kind === END || kind === 'end' || kind === 'else' || kind === 'elseif' || kind === 'until'
    );
  }

  get isAtStatementEnd(): boolean {
    return this.isAtBlockEnd || this.#token.kind === ';';
  }

  #takeValue(): string {
    const value = String(this.#token.value);
    this.advance();
    return value;
  }
}
