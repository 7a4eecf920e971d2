/**
 * The value of a C integer expression: literals, the operators of `#if`, casts that do not matter, and names that
 * `lookup` knows. Null when it is no constant.
 */
export function evaluate(expression: string, lookup: (name: string) => number | null): number | null {
  const tokens = expression.match(/0[xX][0-9a-fA-F]+[uUlL]*|0[bB][01]+[uUlL]*|\d+[uUlL]*|\w+|<<|>>|[^\s\w]/g) ?? [];
  let at = 0;
  const fail = Symbol('no constant');
  const levels: string[][] = [['|'], ['^'], ['&'], ['<<', '>>'], ['+', '-'], ['*', '/', '%']];
  const unary = (): bigint => {
    const token = tokens[at++];
    if (token === undefined) throw fail;
    if (token === '-') return -unary();
    if (token === '+') return unary();
    if (token === '~') return ~unary();
    if (token === '(') {
      if (isCast()) return unary();
      const value = binary(0);
      if (tokens[at++] !== ')') throw fail;
      return value;
    }
    if (/^\d/.test(token)) {
      const digits = token.replace(/[uUlL]+$/, '');
      return BigInt(/^0\d/.test(digits) ? `0o${digits.slice(1)}` : digits);
    }
    // Assembly and C both see these: UL(x), _AC(x, UL).
    if (/^(UL|ULL|_UL|_ULL|_AC|_BITUL|BIT)$/.test(token) && tokens[at] === '(') {
      at++;
      const value = binary(0);
      while (at < tokens.length && tokens[at] !== ')') at++;
      if (tokens[at++] !== ')') throw fail;
      return /^(BIT|_BITUL)$/.test(token) ? 1n << value : value;
    }
    const value = /^[A-Za-z_]/.test(token) && tokens[at] !== '(' ? lookup(token) : null;
    if (value === null) throw fail;
    return BigInt(value);
  };
  /** Behind a `(`: type words and stars up to the `)`. */
  const isCast = (): boolean => {
    let end = at;
    while (
      end < tokens.length &&
      /^(unsigned|signed|long|int|short|char|void|const|[us](8|16|32|64)|\*)$/.test(tokens[end]!)
    )
      end++;
    if (end === at || tokens[end] !== ')') return false;
    at = end + 1;
    return true;
  };
  const binary = (level: number): bigint => {
    if (level === levels.length) return unary();
    let left = binary(level + 1);
    while (at < tokens.length && levels[level]!.includes(tokens[at]!)) {
      const operator = tokens[at++]!;
      const right = binary(level + 1);
      if ((operator === '/' || operator === '%') && right === 0n) throw fail;
      left =
        operator === '|'
          ? left | right
          : operator === '^'
            ? left ^ right
            : operator === '&'
              ? left & right
              : operator === '<<'
                ? left << right
                : operator === '>>'
                  ? left >> right
                  : operator === '+'
                    ? left + right
                    : operator === '-'
                      ? left - right
                      : operator === '*'
                        ? left * right
                        : operator === '/'
                          ? left / right
                          : left % right;
    }
    return left;
  };
  try {
    const value = binary(0);
    return at === tokens.length && tokens.length > 0 ? Number(value) : null;
  } catch (e) {
    if (e === fail || e instanceof RangeError || e instanceof SyntaxError) return null;
    throw e;
  }
}
