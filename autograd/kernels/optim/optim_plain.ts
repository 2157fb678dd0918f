/**
 * Steps of optimizers: one pass over a parameter p, its gradient g and the optimizer's state. All but
 * g are written in place.
 *
 * In every formula g stands for ±g + wd·p, where the sign is − to maximize. `shrink` is the factor of a
 * decoupled weight decay, 1 − lr·wd; whatever uses it passes wd = 0.
 */

/** buf ← first ? g : μ·buf + (1 − τ)·g; p ← p − lr·(nesterov ? g + μ·buf : buf); without buf p − lr·g */
export function sgdStep(
  p: Float64Array,
  g: Float64Array,
  buf: Float64Array | null,
  lr: number,
  momentum: number,
  dampening: number,
  weightDecay: number,
  nesterov: boolean,
  maximize: boolean,
  first: boolean,
): void {
  const sign = maximize ? -1 : 1;
  const decays = weightDecay !== 0;
  if (buf === null) {
    for (let i = 0; i < p.length; i++) {
      let d = sign * g[i];
      if (decays) d += weightDecay * p[i];
      p[i] -= lr * d;
    }
    return;
  }
  // A first step keeps nothing: the buffer is zero then.
  const keep = first ? 0 : momentum;
  const take = first ? 1 : 1 - dampening;
  // Without nesterov the step is the buffer alone; that loop is the hot one.
  if (nesterov) {
    for (let i = 0; i < p.length; i++) {
      let d = sign * g[i];
      if (decays) d += weightDecay * p[i];
      const b = keep * buf[i] + take * d;
      buf[i] = b;
      p[i] -= lr * (d + momentum * b);
    }
  } else {
    for (let i = 0; i < p.length; i++) {
      let d = sign * g[i];
      if (decays) d += weightDecay * p[i];
      const b = keep * buf[i] + take * d;
      buf[i] = b;
      p[i] -= lr * b;
    }
  }
}

/**
 * m ← m + (1 − β₁)(g − m); v ← β₂v + (1 − β₂)g²; vMax ← max(vMax, v);
 * p ← shrink·p − lr·m / (√v / rootCorrection + ε), with vMax in the place of v where there is one.
 *
 * Bias corrections come with the arguments: lr = η / (1 − β₁ᵗ), rootCorrection = √(1 − β₂ᵗ).
 */
export function adamStep(
  p: Float64Array,
  g: Float64Array,
  m: Float64Array,
  v: Float64Array,
  vMax: Float64Array | null,
  lr: number,
  beta1: number,
  beta2: number,
  eps: number,
  rootCorrection: number,
  weightDecay: number,
  shrink: number,
  maximize: boolean,
): void {
  const sign = maximize ? -1 : 1;
  const decays = weightDecay !== 0;
  for (let i = 0; i < p.length; i++) {
    let d = sign * g[i];
    if (decays) d += weightDecay * p[i];
    const mi = m[i] + (1 - beta1) * (d - m[i]);
    const vi = beta2 * v[i] + (1 - beta2) * d * d;
    m[i] = mi;
    v[i] = vi;
    let largest = vi;
    if (vMax !== null) {
      largest = Math.max(vMax[i], vi);
      vMax[i] = largest;
    }
    p[i] = shrink * p[i] - lr * mi / (Math.sqrt(largest) / rootCorrection + eps);
  }
}

/**
 * m ← m + (1 − β₁)(g − m); v ← β₂v + (1 − β₂)g²;
 * p ← shrink·p − (gradRate·g + meanRate·m) / (√(v / correction) + ε).
 *
 * NAdam: gradRate = η(1 − μₜ) / (1 − ∏μ), meanRate = ημₜ₊₁ / (1 − ∏μ·μₜ₊₁), correction = 1 − β₂ᵗ.
 */
export function nadamStep(
  p: Float64Array,
  g: Float64Array,
  m: Float64Array,
  v: Float64Array,
  gradRate: number,
  meanRate: number,
  beta1: number,
  beta2: number,
  eps: number,
  correction: number,
  weightDecay: number,
  shrink: number,
  maximize: boolean,
): void {
  const sign = maximize ? -1 : 1;
  const decays = weightDecay !== 0;
  for (let i = 0; i < p.length; i++) {
    let d = sign * g[i];
    if (decays) d += weightDecay * p[i];
    const mi = m[i] + (1 - beta1) * (d - m[i]);
    const vi = beta2 * v[i] + (1 - beta2) * d * d;
    m[i] = mi;
    v[i] = vi;
    p[i] = shrink * p[i] - (gradRate * d + meanRate * mi) / (Math.sqrt(vi / correction) + eps);
  }
}

/**
 * m ← m + (1 − β₁)(g − m); v ← β₂v + (1 − β₂)g²;
 * p ← shrink·p − lr·m·rectified / (√v + ε), or shrink·p − lr·m where `rectified` is null.
 */
export function radamStep(
  p: Float64Array,
  g: Float64Array,
  m: Float64Array,
  v: Float64Array,
  lr: number,
  rectified: number | null,
  beta1: number,
  beta2: number,
  eps: number,
  weightDecay: number,
  shrink: number,
  maximize: boolean,
): void {
  const sign = maximize ? -1 : 1;
  const decays = weightDecay !== 0;
  for (let i = 0; i < p.length; i++) {
    let d = sign * g[i];
    if (decays) d += weightDecay * p[i];
    const mi = m[i] + (1 - beta1) * (d - m[i]);
    const vi = beta2 * v[i] + (1 - beta2) * d * d;
    m[i] = mi;
    v[i] = vi;
    const scale = rectified === null ? 1 : rectified / (Math.sqrt(vi) + eps);
    p[i] = shrink * p[i] - lr * mi * scale;
  }
}

/** m ← m + (1 − β₁)(g − m); u ← max(β₂u, |g| + ε); p ← p − lr·m / u, with lr = η / (1 − β₁ᵗ) */
export function adamaxStep(
  p: Float64Array,
  g: Float64Array,
  m: Float64Array,
  u: Float64Array,
  lr: number,
  beta1: number,
  beta2: number,
  eps: number,
  weightDecay: number,
  maximize: boolean,
): void {
  const sign = maximize ? -1 : 1;
  const decays = weightDecay !== 0;
  for (let i = 0; i < p.length; i++) {
    let d = sign * g[i];
    if (decays) d += weightDecay * p[i];
    m[i] += (1 - beta1) * (d - m[i]);
    u[i] = Math.max(beta2 * u[i], Math.abs(d) + eps);
    p[i] -= lr * m[i] / u[i];
  }
}

/**
 * v ← αv + (1 − α)g²; mean ← mean + (1 − α)(g − mean); h = √(v − mean²) + ε, or √v + ε without mean;
 * buf ← μ·buf + g/h; p ← p − lr·buf, or p − lr·g/h without buf.
 */
export function rmspropStep(
  p: Float64Array,
  g: Float64Array,
  v: Float64Array,
  mean: Float64Array | null,
  buf: Float64Array | null,
  lr: number,
  alpha: number,
  eps: number,
  momentum: number,
  weightDecay: number,
  maximize: boolean,
): void {
  const sign = maximize ? -1 : 1;
  const decays = weightDecay !== 0;
  for (let i = 0; i < p.length; i++) {
    let d = sign * g[i];
    if (decays) d += weightDecay * p[i];
    const vi = alpha * v[i] + (1 - alpha) * d * d;
    v[i] = vi;
    let spread = vi;
    if (mean !== null) {
      mean[i] += (1 - alpha) * (d - mean[i]);
      spread -= mean[i] * mean[i];
    }
    let step = d / (Math.sqrt(spread) + eps);
    if (buf !== null) {
      step += momentum * buf[i];
      buf[i] = step;
    }
    p[i] -= lr * step;
  }
}

/** sum ← sum + g²; p ← p − lr·g / (√sum + ε) */
export function adagradStep(
  p: Float64Array,
  g: Float64Array,
  sum: Float64Array,
  lr: number,
  eps: number,
  weightDecay: number,
  maximize: boolean,
): void {
  const sign = maximize ? -1 : 1;
  const decays = weightDecay !== 0;
  for (let i = 0; i < p.length; i++) {
    let d = sign * g[i];
    if (decays) d += weightDecay * p[i];
    sum[i] += d * d;
    p[i] -= lr * d / (Math.sqrt(sum[i]) + eps);
  }
}

/** v ← ρv + (1 − ρ)g²; Δ = g·√(a + ε) / √(v + ε); a ← ρa + (1 − ρ)Δ²; p ← p − lr·Δ */
export function adadeltaStep(
  p: Float64Array,
  g: Float64Array,
  v: Float64Array,
  a: Float64Array,
  lr: number,
  rho: number,
  eps: number,
  weightDecay: number,
  maximize: boolean,
): void {
  const sign = maximize ? -1 : 1;
  const decays = weightDecay !== 0;
  for (let i = 0; i < p.length; i++) {
    let d = sign * g[i];
    if (decays) d += weightDecay * p[i];
    const vi = rho * v[i] + (1 - rho) * d * d;
    v[i] = vi;
    const delta = Math.sqrt(a[i] + eps) / Math.sqrt(vi + eps) * d;
    a[i] = rho * a[i] + (1 - rho) * delta * delta;
    p[i] -= lr * delta;
  }
}

/** p ← (1 − λη)·p − η·g; average ← average + μ(p − average) */
export function asgdStep(
  p: Float64Array,
  g: Float64Array,
  average: Float64Array,
  eta: number,
  lambd: number,
  mu: number,
  weightDecay: number,
  maximize: boolean,
): void {
  const sign = maximize ? -1 : 1;
  const decays = weightDecay !== 0;
  const shrink = 1 - lambd * eta;
  for (let i = 0; i < p.length; i++) {
    let d = sign * g[i];
    if (decays) d += weightDecay * p[i];
    const pi = shrink * p[i] - eta * d;
    p[i] = pi;
    average[i] = mu === 1 ? pi : average[i] + mu * (pi - average[i]);
  }
}

/**
 * Where g keeps the sign of the step before, stepSize grows by `etaPlus`; where it turns, stepSize
 * shrinks by `etaMinus` and g counts as 0; within `min` and `max`. p ← p − sign(g)·stepSize.
 */
export function rpropStep(
  p: Float64Array,
  g: Float64Array,
  previous: Float64Array,
  stepSize: Float64Array,
  etaMinus: number,
  etaPlus: number,
  min: number,
  max: number,
  maximize: boolean,
): void {
  const sign = maximize ? -1 : 1;
  for (let i = 0; i < p.length; i++) {
    let d = sign * g[i];
    const product = d * previous[i];
    let factor = product; // NaN stays NaN
    if (product > 0) factor = etaPlus;
    else if (product < 0) factor = etaMinus;
    else if (product === 0) factor = 1;
    const size = Math.min(Math.max(stepSize[i] * factor, min), max);
    if (product < 0) d = 0;
    stepSize[i] = size;
    previous[i] = d;
    p[i] -= Math.sign(d) * size;
  }
}
