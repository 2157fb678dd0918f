// Optimizer steps in one pass, two lanes wide. The formulas stand with the plain kernels; products and
// sums are not fused, so that both give the same digits.

// Both flags are constants at every call: only one branch is compiled into each loop.
// @ts-ignore: decorator
@inline
function plainSteps(
  p: usize, g: usize, buffer: usize, n: i32, rate: v128, keep: v128, share: v128, decay: v128,
  buffered: bool, decayed: bool,
): void {
  const end = p + (<usize>n << 3);
  while (p < end) {
    // unroll(4) $
    {
      const old = v128.load(p, 16 * $);
      let d = v128.load(g, 16 * $);
      if (decayed) d = f64x2.add(d, f64x2.mul(decay, old));
      if (buffered) {
        d = f64x2.add(f64x2.mul(keep, v128.load(buffer, 16 * $)), f64x2.mul(share, d));
        v128.store(buffer, d, 16 * $);
      }
      v128.store(p, f64x2.sub(old, f64x2.mul(rate, d)), 16 * $);
    }
    // end
    p += 64;
    g += 64;
    if (buffered) buffer += 64;
  }
}

/** Without a buffer (`buffer` 0): p −= lr·d; with one as in the plain kernel; `first` writes it. */
export function sgdStep(
  p: usize, g: usize, buffer: usize, n: i32,
  lr: f64, momentum: f64, take: f64, weightDecay: f64, nesterov: bool, sign: f64, first: bool,
): void {
  const rate = f64x2.splat(lr), keep = f64x2.splat(momentum), share = f64x2.splat(take);
  const decay = f64x2.splat(weightDecay), signs = f64x2.splat(sign);
  let i = 0;
  if (!first && !nesterov && sign == 1) {
    // The everyday cases, without a choice per element.
    i = n & ~7;
    if (buffer) {
      if (weightDecay == 0) plainSteps(p, g, buffer, i, rate, keep, share, decay, true, false);
      else plainSteps(p, g, buffer, i, rate, keep, share, decay, true, true);
      buffer += <usize>i << 3;
    } else if (weightDecay == 0) {
      plainSteps(p, g, 0, i, rate, keep, share, decay, false, false);
    } else plainSteps(p, g, 0, i, rate, keep, share, decay, false, true);
    p += <usize>i << 3;
    g += <usize>i << 3;
  }
  for (; !first && i + 2 <= n; i += 2) {
    const old = v128.load(p);
    let d = f64x2.mul(signs, v128.load(g));
    if (weightDecay != 0) d = f64x2.add(d, f64x2.mul(decay, old));
    if (buffer) {
      const b = f64x2.add(f64x2.mul(keep, v128.load(buffer)), f64x2.mul(share, d));
      v128.store(buffer, b);
      d = nesterov ? f64x2.add(d, f64x2.mul(keep, b)) : b;
      buffer += 16;
    }
    v128.store(p, f64x2.sub(old, f64x2.mul(rate, d)));
    p += 16;
    g += 16;
  }
  for (; i < n; i++) {
    const old = load<f64>(p);
    let d = sign * load<f64>(g);
    if (weightDecay != 0) d += weightDecay * old;
    if (buffer) {
      const b = first ? d : momentum * load<f64>(buffer) + take * d;
      store<f64>(buffer, b);
      d = nesterov ? d + momentum * b : b;
      buffer += 8;
    }
    store<f64>(p, old - lr * d);
    p += 8;
    g += 8;
  }
}

export function adamStep(
  p: usize, g: usize, m: usize, v: usize, vMax: usize, n: i32,
  lr: f64, beta1: f64, beta2: f64, eps: f64, rootCorrection: f64, weightDecay: f64, shrink: f64,
  sign: f64,
): void {
  const rate = f64x2.splat(lr), decay = f64x2.splat(weightDecay), s = f64x2.splat(sign);
  const take1 = f64x2.splat(1 - beta1), keep2 = f64x2.splat(beta2), take2 = f64x2.splat(1 - beta2);
  const root = f64x2.splat(rootCorrection), e = f64x2.splat(eps), factor = f64x2.splat(shrink);
  const decays = weightDecay != 0;
  for (let i = 0; i < n; i += 2) {
    const pair = i + 1 < n;
    const old = pair ? v128.load(p) : v128.load64_splat(p);
    let d = f64x2.mul(s, pair ? v128.load(g) : v128.load64_splat(g));
    if (decays) d = f64x2.add(d, f64x2.mul(decay, old));
    const m0 = pair ? v128.load(m) : v128.load64_splat(m);
    const v0 = pair ? v128.load(v) : v128.load64_splat(v);
    const m1 = f64x2.add(m0, f64x2.mul(take1, f64x2.sub(d, m0)));
    const v1 = f64x2.add(f64x2.mul(keep2, v0), f64x2.mul(f64x2.mul(take2, d), d));
    let largest = v1;
    if (vMax) {
      largest = f64x2.max(pair ? v128.load(vMax) : v128.load64_splat(vMax), v1);
      if (pair) v128.store(vMax, largest);
      else store<f64>(vMax, f64x2.extract_lane(largest, 0));
      vMax += 16;
    }
    const below = f64x2.add(f64x2.div(f64x2.sqrt(largest), root), e);
    const next = f64x2.sub(f64x2.mul(factor, old), f64x2.div(f64x2.mul(rate, m1), below));
    if (pair) {
      v128.store(m, m1);
      v128.store(v, v1);
      v128.store(p, next);
    } else {
      store<f64>(m, f64x2.extract_lane(m1, 0));
      store<f64>(v, f64x2.extract_lane(v1, 0));
      store<f64>(p, f64x2.extract_lane(next, 0));
    }
    p += 16;
    g += 16;
    m += 16;
    v += 16;
  }
}
