/** The tree that Lua text is parsed to. Names are resolved: a local or upvalue is its Variable. */

/** A local variable or parameter. */
export interface Variable {
  readonly name: string;
  /** Its place among those that live at the same time in its function. */
  readonly slot: number;
  readonly owner: FunctionNode;
  /** Whether a function inside its own one uses it. */
  isCaptured: boolean;
  /** Whether anything but its declaration gives it a value. */
  isAssigned: boolean;
  /** What it holds at any time; 'any' if that is not known. */
  kind: Kind;
}

/** What is known of a value before the program runs. */
export type Kind = 'any' | 'nil' | 'boolean' | 'number' | 'string' | 'table' | 'function';

export interface FunctionNode {
  readonly parent: FunctionNode | undefined;
  readonly line: number;
  readonly parameters: Variable[];
  isVararg: boolean;
  /** The table of extra arguments that functions which never say `...` get. */
  argVariable: Variable | undefined;
  /** Variables of functions around this one that it uses, or that functions inside it use. */
  readonly upvalues: Variable[];
  /** The variable of `local function`, when nothing else is ever assigned to it. */
  selfVariable: Variable | undefined;
  slotCount: number;
  body: Statement[];
  /** Line of its `end`; of the main function that of the last token. */
  endLine: number;
}

export type BinaryOperator =
  '+' | '-' | '*' | '/' | '%' | '^' | '..' | '==' | '~=' | '<' | '<=' | '>' | '>=' | 'and' | 'or';

export type Expression =
  | { readonly kind: 'nil' | 'true' | 'false' | 'vararg'; readonly line: number }
  | { readonly kind: 'number'; readonly value: number; readonly line: number }
  | { readonly kind: 'string'; readonly value: string; readonly line: number }
  | { readonly kind: 'function'; readonly node: FunctionNode }
  | VariableExpression
  | GlobalExpression
  | IndexExpression
  | CallExpression
  | BinaryExpression
  | {
      readonly kind: 'unary';
      readonly operator: 'not' | '-' | '#';
      readonly operand: Expression;
      readonly line: number;
    }
  | { readonly kind: 'paren'; readonly inner: Expression }
  | TableExpression;

export interface VariableExpression {
  readonly kind: 'variable';
  readonly variable: Variable;
  readonly line: number;
}

export interface GlobalExpression {
  readonly kind: 'global';
  readonly name: string;
  readonly line: number;
}

export interface IndexExpression {
  readonly kind: 'index';
  readonly object: Expression;
  readonly key: Expression;
  readonly line: number;
}

export interface CallExpression {
  readonly kind: 'call';
  readonly callee: Expression;
  /** The method's name; then `callee` is the object. */
  readonly method: string | undefined;
  /** Where the name of the method, or else the callee, ends. */
  readonly nameLine: number;
  readonly args: readonly Expression[];
  readonly line: number;
  /** Where the arguments end. */
  readonly endLine: number;
}

export interface BinaryExpression {
  readonly kind: 'binary';
  readonly operator: BinaryOperator;
  readonly left: Expression;
  readonly right: Expression;
  /** Where the right side ends. */
  readonly line: number;
}

export interface TableExpression {
  readonly kind: 'table';
  readonly fields: readonly TableField[];
  /** Of what stands before its brace. */
  readonly line: number;
  readonly endLine: number;
}

/**
 * Lines where Lua's machine loads the value of an expression, if that is not where the expression ends: behind the comma or the
 * closing bracket that follows it.
 */
export type LoadLines = ReadonlyMap<Expression, number>;

/** A field without key takes the next place of the list. */
export interface TableField {
  readonly key: Expression | undefined;
  readonly value: Expression;
  readonly line: number;
}

export type Assignable = VariableExpression | GlobalExpression | IndexExpression;

export type Statement =
  | {
      readonly kind: 'local';
      readonly variables: readonly Variable[];
      readonly values: readonly Expression[];
      readonly line: number;
    }
  | {
      readonly kind: 'localFunction';
      readonly variable: Variable;
      readonly node: FunctionNode;
    }
  | {
      readonly kind: 'assign';
      readonly targets: readonly Assignable[];
      readonly values: readonly Expression[];
      readonly line: number;
    }
  | { readonly kind: 'call'; readonly call: CallExpression }
  | { readonly kind: 'do'; readonly body: readonly Statement[]; readonly endLine: number }
  | {
      readonly kind: 'while';
      readonly condition: Expression;
      readonly body: readonly Statement[];
      readonly line: number;
      /** Where its body ends. */
      readonly endLine: number;
    }
  | {
      readonly kind: 'repeat';
      readonly condition: Expression;
      readonly body: readonly Statement[];
      readonly line: number;
    }
  | IfStatement
  | NumericForStatement
  | GenericForStatement
  | { readonly kind: 'return'; readonly values: readonly Expression[]; readonly line: number }
  | { readonly kind: 'break'; readonly line: number };

export interface IfStatement {
  readonly kind: 'if';
  /** The last one has no condition if there is an `else`. */
  readonly branches: readonly {
    readonly condition: Expression | undefined;
    readonly body: readonly Statement[];
    readonly endLine: number;
  }[];
}

export interface NumericForStatement {
  readonly kind: 'numericFor';
  readonly variable: Variable;
  readonly start: Expression;
  readonly limit: Expression;
  readonly step: Expression | undefined;
  readonly body: readonly Statement[];
  readonly line: number;
  /** Of its `do`. */
  readonly doLine: number;
  /** Where its body ends. */
  readonly endLine: number;
}

export interface GenericForStatement {
  readonly kind: 'genericFor';
  readonly variables: readonly Variable[];
  readonly values: readonly Expression[];
  readonly body: readonly Statement[];
  /** Of what stands behind `in`. */
  readonly line: number;
  /** Of its `do`. */
  readonly doLine: number;
  /** Where its body ends. */
  readonly endLine: number;
}

/** Whether working an expression out changes nothing, whatever it meets. */
export function isQuiet(expression: Expression): boolean {
  switch (expression.kind) {
    case 'nil':
    case 'true':
    case 'false':
    case 'number':
    case 'string':
    case 'vararg':
    case 'variable':
    case 'function':
      return true;
    case 'paren':
      return isQuiet(expression.inner);
    default:
      return false;
  }
}

/** Whether an expression can have any number of values. */
export function isMultiple(expression: Expression): boolean {
  return expression.kind === 'call' || expression.kind === 'vararg';
}

/** Where an expression ends; of one in parentheses where its inside does. */
export function endLine(expression: Expression): number {
  switch (expression.kind) {
    case 'paren':
      return endLine(expression.inner);
    case 'function':
      return expression.node.endLine;
    case 'call':
    case 'table':
      return expression.endLine;
    default:
      return expression.line;
  }
}

/** Whether Lua's machine works nothing out before it loads the value. */
export function isPlain(expression: Expression): boolean {
  switch (expression.kind) {
    case 'paren':
      return isPlain(expression.inner);
    case 'number':
    case 'string':
    case 'true':
    case 'false':
    case 'variable':
      return true;
    default:
      return false;
  }
}

export function isComparison(operator: string): boolean {
  return ['==', '~=', '<', '<=', '>', '>='].includes(operator);
}
