/** Statements of Lua text. Source: Lua 5.1 manual, 2.4; messages as redis-server 7.0.15 gives them. */
import { END, NAME } from './lexer.ts';
import { ExpressionParser } from './parse-expression.ts';
import { LOCALS_MAX } from './scope.ts';
import type {
  Assignable,
  Expression,
  FunctionNode,
  IfStatement,
  LoadLines,
  Statement,
  Variable,
} from './syntax.ts';
import { LEVELS_MAX, TokenReader } from './token-reader.ts';

export interface Chunk {
  /** What messages call it. */
  readonly source: string;
  /** The main function, and behind each function those inside it. */
  readonly functions: readonly FunctionNode[];
  readonly loadLines: LoadLines;
}

/** The functions of a text. Throws a LuaError for what is no Lua. */
export function parseChunk(text: string, chunkName: string): Chunk {
  const reader = new TokenReader(text, chunkName);
  const loadLines = new Parser(reader).chunk();
  return { source: reader.source, functions: reader.scope.functions, loadLines };
}

class Parser {
  readonly #reader: TokenReader;
  readonly #expressions: ExpressionParser;

  constructor(reader: TokenReader) {
    this.#reader = reader;
    this.#expressions = new ExpressionParser(reader, (isMethod, line) =>
      this.#function(isMethod, line),
    );
  }

  chunk(): LoadLines {
    const { scope } = this.#reader;
    const node = scope.openFunction(0);
    node.isVararg = true;
    node.body = this.#statements();
    if (this.#reader.kind !== END) throw this.#reader.expected(END);
    node.endLine = this.#reader.lastLine;
    scope.closeFunction();
    return this.#expressions.loadLines;
  }

  /** A block with variables of its own. */
  #block(variables: readonly Variable[] = []): Statement[] {
    const { scope } = this.#reader;
    const count = scope.localCount;
    scope.activate(...variables);
    const body = this.#statements();
    scope.leaveBlock(count);
    return body;
  }

  #statements(): Statement[] {
    const reader = this.#reader;
    const found: Statement[] = [];
    reader.enterLevel();
    while (!reader.isAtBlockEnd) {
      const statement = this.#statement();
      if (statement !== undefined) found.push(statement);
      reader.accept(';');
      if (statement?.kind === 'return' || statement?.kind === 'break') break;
    }
    reader.leaveLevel();
    return found;
  }

  #statement(): Statement | undefined {
    const reader = this.#reader;
    const { line } = reader;
    switch (reader.kind) {
      case 'if':
        return this.#if(line);
      case 'while':
        return this.#while(line);
      case 'do': {
        reader.advance();
        const body = this.#block();
        const endLine = reader.lastLine;
        reader.expectClose('end', 'do', line);
        return { kind: 'do', body, endLine };
      }
      case 'for':
        return this.#for(line);
      case 'repeat':
        return this.#repeat(line);
      case 'function':
        return this.#functionStatement(line);
      case 'local':
        reader.advance();
        return reader.accept('function') ? this.#localFunction(line) : this.#local();
      case 'return':
        reader.advance();
        return this.#return();
      case 'break':
        reader.advance();
        if (reader.scope.loops === 0) throw reader.error('no loop to break');
        return { kind: 'break', line: reader.lastLine };
      default:
        return this.#expressionStatement();
    }
  }

  #return(): Statement {
    const reader = this.#reader;
    const values = reader.isAtStatementEnd ? [] : this.#expressions.list();
    return { kind: 'return', values, line: reader.lastLine };
  }

  #if(line: number): IfStatement {
    const reader = this.#reader;
    const branches: IfStatement['branches'][number][] = [];
    do {
      reader.advance();
      const condition = this.#expressions.expression();
      reader.expect('then');
      branches.push(this.#branch(condition));
    } while (reader.kind === 'elseif');
    if (reader.accept('else')) branches.push(this.#branch(undefined));
    reader.expectClose('end', 'if', line);
    return { kind: 'if', branches };
  }

  #branch(condition: Expression | undefined): IfStatement['branches'][number] {
    const body = this.#block();
    return { condition, body, endLine: this.#reader.lastLine };
  }

  #while(line: number): Statement {
    const reader = this.#reader;
    reader.advance();
    const condition = this.#expressions.expression();
    reader.expect('do');
    const body = this.#loopBody();
    const endLine = reader.lastLine;
    reader.expectClose('end', 'while', line);
    return { kind: 'while', condition, body, line, endLine };
  }

  /** The condition of `until` sees the variables of the body. */
  #repeat(line: number): Statement {
    const reader = this.#reader;
    const { scope } = reader;
    const count = scope.localCount;
    reader.advance();
    scope.loops++;
    const body = this.#statements();
    scope.loops--;
    reader.expectClose('until', 'repeat', line);
    const condition = this.#expressions.expression();
    scope.leaveBlock(count);
    return { kind: 'repeat', condition, body, line };
  }

  #loopBody(variables: readonly Variable[] = []): Statement[] {
    const { scope } = this.#reader;
    scope.loops++;
    const body = this.#block(variables);
    scope.loops--;
    return body;
  }

  #for(line: number): Statement {
    const reader = this.#reader;
    reader.advance();
    const name = reader.name();
    const isNumeric = reader.kind === '=';
    if (reader.kind !== '=' && reader.kind !== ',' && reader.kind !== 'in') {
      throw reader.error("'=' or 'in' expected");
    }
    const statement = isNumeric ? this.#numericFor(name, line) : this.#genericFor(name);
    reader.expectClose('end', 'for', line);
    return statement;
  }

  #numericFor(name: string, line: number): Statement {
    const reader = this.#reader;
    reader.advance();
    const start = this.#expressions.expression();
    reader.expect(',');
    const limit = this.#expressions.expression();
    const step = reader.accept(',') ? this.#expressions.expression() : undefined;
    reader.expect('do');
    const doLine = reader.lastLine;
    const variable = this.#newVariable(name, 0);
    const body = this.#loopBody([variable]);
    const endLine = reader.lastLine;
    return { kind: 'numericFor', variable, start, limit, step, body, line, doLine, endLine };
  }

  #genericFor(name: string): Statement {
    const reader = this.#reader;
    const names = [name];
    while (reader.accept(',')) names.push(reader.name());
    reader.expect('in');
    const { line } = reader;
    const values = this.#expressions.list();
    reader.expect('do');
    const doLine = reader.lastLine;
    const variables = names.map((each, at) => this.#newVariable(each, at));
    const body = this.#loopBody(variables);
    const endLine = reader.lastLine;
    return { kind: 'genericFor', variables, values, body, line, doLine, endLine };
  }

  #functionStatement(line: number): Statement {
    const reader = this.#reader;
    reader.advance();
    let target = this.#expressions.variable(reader.name());
    let isMethod = false;
    while (!isMethod && (reader.kind === '.' || reader.kind === ':')) {
      isMethod = reader.kind === ':';
      reader.advance();
      const key = this.#expressions.name();
      target = { kind: 'index', object: target, key, line: reader.lastLine };
    }
    noteAssigned(target);
    const node = this.#function(isMethod, line);
    const values: Expression[] = [{ kind: 'function', node }];
    return { kind: 'assign', targets: [target as Assignable], values, line };
  }

  #localFunction(line: number): Statement {
    const variable = this.#newVariable(this.#reader.name(), 0);
    this.#reader.scope.activate(variable);
    const node = this.#function(false, line);
    node.selfVariable = variable;
    return { kind: 'localFunction', variable, node };
  }

  #local(): Statement {
    const reader = this.#reader;
    const variables: Variable[] = [];
    do variables.push(this.#newVariable(reader.name(), variables.length));
    while (reader.accept(','));
    const values = reader.accept('=') ? this.#expressions.list() : [];
    reader.scope.activate(...variables);
    return { kind: 'local', variables, values, line: reader.lastLine };
  }

  #newVariable(name: string, offset: number): Variable {
    const { scope } = this.#reader;
    this.#reader.checkLimit(scope.localCount + offset + 1, LOCALS_MAX, 'local variables');
    return scope.newVariable(name, offset);
  }

  #expressionStatement(): Statement {
    const reader = this.#reader;
    const first = this.#expressions.chain();
    if (first.kind === 'call') return { kind: 'call', call: first };
    const targets = [this.#target(first)];
    while (reader.accept(',')) {
      targets.push(this.#target(this.#expressions.chain()));
      reader.checkLimit(targets.length, LEVELS_MAX - reader.levels, 'variables in assignment');
    }
    reader.expect('=');
    const values = this.#expressions.list();
    return { kind: 'assign', targets, values, line: reader.lastLine };
  }

  #target(expression: Expression): Assignable {
    const { kind } = expression;
    if (kind !== 'variable' && kind !== 'global' && kind !== 'index') {
      throw this.#reader.error('syntax error');
    }
    noteAssigned(expression);
    return expression;
  }

  /** Parameters and body of a function, from its opening parenthesis to its `end`. */
  #function(isMethod: boolean, line: number): FunctionNode {
    const reader = this.#reader;
    const { scope } = reader;
    const node = scope.openFunction(line);
    reader.expect('(');
    if (isMethod) this.#parameter('self');
    if (reader.kind !== ')') this.#parameterList();
    reader.expect(')');
    if (node.isVararg) {
      node.argVariable = this.#newVariable('arg', 0);
      scope.activate(node.argVariable);
    }
    node.body = this.#statements();
    node.endLine = reader.line;
    if (scope.usesVarargs) node.argVariable = undefined;
    reader.expectClose('end', 'function', line);
    scope.closeFunction();
    return node;
  }

  #parameterList(): void {
    const reader = this.#reader;
    do {
      if (reader.accept('...')) {
        this.#reader.scope.node.isVararg = true;
        return;
      }
      if (reader.kind !== NAME) throw reader.error("<name> or '...' expected");
      this.#parameter(reader.name());
    } while (reader.accept(','));
  }

  #parameter(name: string): void {
    const variable = this.#newVariable(name, 0);
    this.#reader.scope.activate(variable);
    this.#reader.scope.node.parameters.push(variable);
  }
}

function noteAssigned(target: Expression): void {
  if (target.kind === 'variable') target.variable.isAssigned = true;
}
