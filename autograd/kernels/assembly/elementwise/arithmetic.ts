// Arithmetic and choices, element by element. A step of 16 walks along an operand; a step of 0 stays
// on a pair of equal numbers, which is how a scalar comes in. Four vectors of each half a round, at constant
// distances from their addresses: one stream alone leaves the memory waiting.

// @ts-ignore: decorator
@inline
const ADD: i32 = 0;
// @ts-ignore: decorator
@inline
const SUB: i32 = 1;
// @ts-ignore: decorator
@inline
const MUL: i32 = 2;
// @ts-ignore: decorator
@inline
const DIV: i32 = 3;
// @ts-ignore: decorator
@inline
const RELU_BACKWARD: i32 = 4;
// @ts-ignore: decorator
@inline
const SIGMOID_BACKWARD: i32 = 5;
// @ts-ignore: decorator
@inline
const TANH_BACKWARD: i32 = 6;

// The operation is a constant at every call: only one branch is compiled into each loop.
// @ts-ignore: decorator
@inline
function apply(operation: i32, x: v128, y: v128): v128 {
  if (operation == ADD) return f64x2.add(x, y);
  if (operation == SUB) return f64x2.sub(x, y);
  if (operation == MUL) return f64x2.mul(x, y);
  if (operation == DIV) return f64x2.div(x, y);
  // x is the cotangent, y the output. NaN keeps the cotangent, as in the plain kernel.
  if (operation == RELU_BACKWARD) return v128.andnot(x, f64x2.le(y, f64x2.splat(0)));
  if (operation == SIGMOID_BACKWARD) {
    return f64x2.mul(f64x2.mul(x, f64x2.sub(f64x2.splat(1), y)), y);
  }
  return f64x2.mul(x, f64x2.sub(f64x2.splat(1), f64x2.mul(y, y)));
}

// @ts-ignore: decorator
@inline
function binary(
  operation: i32, x: usize, y: usize, out: usize, n: i32, stepX: usize, stepY: usize,
): void {
  const end = out + (<usize>n << 3);
  if (stepX && stepY) {
    const half = <usize>(n & ~15) << 2, middle = out + half;
    let outB = out + half, xB = x + half, yB = y + half;
    while (out < middle) {
      // unroll(4) $
      v128.store(out, apply(operation, v128.load(x, 16 * $), v128.load(y, 16 * $)), 16 * $);
      v128.store(outB, apply(operation, v128.load(xB, 16 * $), v128.load(yB, 16 * $)), 16 * $);
      // end
      x += 64;
      y += 64;
      out += 64;
      xB += 64;
      yB += 64;
      outB += 64;
    }
    x = xB;
    y = yB;
    out = outB;
  } else if (stepX) {
    const number = v128.load(y);
    while (out + 64 <= end) {
      // unroll(4) $
      v128.store(out, apply(operation, v128.load(x, 16 * $), number), 16 * $);
      // end
      x += 64;
      out += 64;
    }
  } else {
    const number = v128.load(x);
    while (out + 64 <= end) {
      // unroll(4) $
      v128.store(out, apply(operation, number, v128.load(y, 16 * $)), 16 * $);
      // end
      y += 64;
      out += 64;
    }
  }
  while (out + 16 <= end) {
    v128.store(out, apply(operation, v128.load(x), v128.load(y)));
    x += stepX;
    y += stepY;
    out += 16;
  }
  if (out < end) {
    const last = apply(operation, v128.load64_splat(x), v128.load64_splat(y));
    store<f64>(out, f64x2.extract_lane(last, 0));
  }
}

export function add(x: usize, y: usize, out: usize, n: i32, stepX: usize, stepY: usize): void {
  binary(ADD, x, y, out, n, stepX, stepY);
}

export function sub(x: usize, y: usize, out: usize, n: i32, stepX: usize, stepY: usize): void {
  binary(SUB, x, y, out, n, stepX, stepY);
}

export function mul(x: usize, y: usize, out: usize, n: i32, stepX: usize, stepY: usize): void {
  binary(MUL, x, y, out, n, stepX, stepY);
}

export function div(x: usize, y: usize, out: usize, n: i32, stepX: usize, stepY: usize): void {
  binary(DIV, x, y, out, n, stepX, stepY);
}

export function reluBackward(g: usize, y: usize, out: usize, n: i32): void {
  binary(RELU_BACKWARD, g, y, out, n, 16, 16);
}

export function sigmoidBackward(g: usize, y: usize, out: usize, n: i32): void {
  binary(SIGMOID_BACKWARD, g, y, out, n, 16, 16);
}

export function tanhBackward(g: usize, y: usize, out: usize, n: i32): void {
  binary(TANH_BACKWARD, g, y, out, n, 16, 16);
}

// @ts-ignore: decorator
@inline
const NEG: i32 = 0;
// @ts-ignore: decorator
@inline
const RELU: i32 = 1;
// @ts-ignore: decorator
@inline
const SQRT: i32 = 2;
// @ts-ignore: decorator
@inline
const RSQRT: i32 = 3;
// @ts-ignore: decorator
@inline
const ABS: i32 = 4;
// @ts-ignore: decorator
@inline
const SQUARE: i32 = 5;

// @ts-ignore: decorator
@inline
function applyUnary(operation: i32, x: v128): v128 {
  if (operation == NEG) return f64x2.neg(x);
  // Not max: -0 and NaN come out as the plain kernel has them.
  if (operation == RELU) return v128.andnot(x, f64x2.le(x, f64x2.splat(0)));
  if (operation == SQRT) return f64x2.sqrt(x);
  if (operation == RSQRT) return f64x2.div(f64x2.splat(1), f64x2.sqrt(x));
  if (operation == ABS) return f64x2.abs(x);
  return f64x2.mul(x, x);
}

// @ts-ignore: decorator
@inline
function unary(operation: i32, x: usize, out: usize, n: i32): void {
  const end = out + (<usize>n << 3);
  const half = <usize>(n & ~15) << 2, middle = out + half;
  let outB = out + half, xB = x + half;
  while (out < middle) {
    // unroll(4) $
    v128.store(out, applyUnary(operation, v128.load(x, 16 * $)), 16 * $);
    v128.store(outB, applyUnary(operation, v128.load(xB, 16 * $)), 16 * $);
    // end
    x += 64;
    out += 64;
    xB += 64;
    outB += 64;
  }
  x = xB;
  out = outB;
  while (out + 16 <= end) {
    v128.store(out, applyUnary(operation, v128.load(x)));
    x += 16;
    out += 16;
  }
  if (out < end) {
    store<f64>(out, f64x2.extract_lane(applyUnary(operation, v128.load64_splat(x)), 0));
  }
}

export function neg(x: usize, out: usize, n: i32): void {
  unary(NEG, x, out, n);
}

export function relu(x: usize, out: usize, n: i32): void {
  unary(RELU, x, out, n);
}

export function sqrtOf(x: usize, out: usize, n: i32): void {
  unary(SQRT, x, out, n);
}

export function rsqrt(x: usize, out: usize, n: i32): void {
  unary(RSQRT, x, out, n);
}

export function abs(x: usize, out: usize, n: i32): void {
  unary(ABS, x, out, n);
}

export function square(x: usize, out: usize, n: i32): void {
  unary(SQUARE, x, out, n);
}

/** out = row, repeated `rows` times. */
export function repeatRow(row: usize, out: usize, rows: i32, n: i32): void {
  const bytes = <usize>n << 3;
  for (let i = 0; i < rows; i++) {
    memory.copy(out, row, bytes);
    out += bytes;
  }
}

/** out += row, in each of `rows` rows. */
export function addRow(row: usize, out: usize, rows: i32, n: i32): void {
  const bytes = <usize>n << 3;
  for (let i = 0; i < rows; i++) {
    binary(ADD, out, row, out, n, 16, 16);
    out += bytes;
  }
}

/** out[i, c, …] += bias[c]: one number for each run of `s` elements. */
export function addToRuns(bias: usize, out: usize, images: i32, c: i32, s: i32): void {
  for (let i = 0; i < images; i++) {
    for (let j = 0; j < c; j++) {
      const b = v128.load64_splat(bias + (<usize>j << 3));
      const end = out + (<usize>s << 3);
      while (out + 64 <= end) {
        // unroll(4) $
        v128.store(out, f64x2.add(v128.load(out, 16 * $), b), 16 * $);
        // end
        out += 64;
      }
      while (out < end) {
        store<f64>(out, load<f64>(out) + f64x2.extract_lane(b, 0));
        out += 8;
      }
    }
  }
}
