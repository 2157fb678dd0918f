/**
 * How PyTorch's operators and modules are written here.
 *
 * A signature names our function and its parameters: the positional ones, then in braces those of the
 * trailing options object. Read without the braces it is PyTorch's own order of parameters, so one
 * line serves for arguments given by place and by name. Python's snake_case is turned into camelCase.
 *
 * @module
 */
import type { Tensor } from "../../autograd/mod.ts";
import { Dtype, dtypeOf, type Value } from "./recorded.ts";

/** A fault of the tables in this file or a function that does not exist; never a refusal. */
export class AdapterError extends Error {}

/** The arguments of a recorded call. */
export interface Arguments {
  args: Value[];
  kwargs: Record<string, Value>;
}

/** A signature, with a change to the arguments where the two languages part in more than spelling. */
interface Entry {
  call: string;
  adapt?: (given: Arguments) => Arguments;
}

/** A call as it is written here. */
export interface Call {
  name: string;
  args: unknown[];
}

const unary =
  "abs neg exp expm1 log log1p sqrt rsqrt square reciprocal sin cos tanh sigmoid erf sign t";
const binary = "mul pow maximum minimum eq ne lt le gt ge matmul";
const losses = "sizeAverage, reduce, reduction";

function isTensor(value: Value | undefined): value is Tensor {
  return typeof value === "object" && value !== null && "shape" in value;
}

// torch.var and std also take (input, unbiased) and (input, dim, unbiased, keepdim).
function spread({ args: [x, ...rest], kwargs }: Arguments): Arguments {
  const { unbiased: named, ...others } = kwargs;
  let unbiased = named;
  const args = [x];
  if (typeof rest[0] === "boolean") unbiased = rest[0];
  else {
    args.push(...rest.slice(0, 1));
    if (typeof rest[1] === "boolean") unbiased = rest[1];
    if (rest.length > 2) others.keepdim = rest[2];
  }
  if (unbiased !== undefined) others.correction = unbiased ? 1 : 0;
  return { args, kwargs: others };
}

// torch.max(x, y) with a tensor y is maximum(x, y).
function extremum(name: "max" | "min"): (given: Arguments) => Entry {
  return ({ args, kwargs }) =>
    isTensor(args[1]) || isTensor(kwargs.other)
      ? { call: `${name}imum(input, other)` }
      : { call: `${name}(input, { dim, keepdim })` };
}

// A 0-d integer tensor where a number is meant. One of booleans stays refusable.
function scalarAt(place: number): (given: Arguments) => Arguments {
  return ({ args, kwargs }) => {
    const value = args[place];
    if (!isTensor(value)) return { args, kwargs };
    const number = dtypeOf(value) === "bool" ? value.item() === 1 : value.item();
    return { args: args.with(place, number), kwargs };
  };
}

function reorder(...order: number[]): (given: Arguments) => Arguments {
  return ({ args, kwargs }) => ({ args: order.map((place) => args[place]), kwargs });
}

function without(name: string, value: Value): (given: Arguments) => Arguments {
  return ({ args, kwargs }) => {
    const { [name]: dropped, ...others } = kwargs;
    return { args, kwargs: dropped === undefined || dropped === value ? others : kwargs };
  };
}

// Fro is PyTorch's name for the default order.
function frobenius({ args, kwargs }: Arguments): Arguments {
  const two = (value: Value) => value === "fro" ? 2 : value;
  return {
    args: args.map((value, place) => place === 1 ? two(value) : value),
    kwargs: "p" in kwargs ? { ...kwargs, p: two(kwargs.p) } : kwargs,
  };
}

// Recorded as embedding(weight, index); the function takes the index first.
function indexFirst({ args, kwargs }: Arguments): Arguments {
  const [a, b, ...rest] = args;
  const swap = isTensor(b) && dtypeOf(b).startsWith("int");
  return { args: swap ? [b, a, ...rest] : args, kwargs };
}

// torch.einsum(equation, tensors), recorded as (tensors, equation).
function equationFirst({ args, kwargs }: Arguments): Arguments {
  return { args: typeof args[0] === "string" ? args : [args[1], args[0]], kwargs };
}

const convolution = "input, weight, bias, { stride, padding, dilation, groups }";
const transposed = "input, weight, bias, { stride, padding, outputPadding, groups, dilation }";
const maxPooling = "input, kernelSize, { stride, padding, dilation, ceilMode, returnIndices }";
const avgPooling =
  "input, kernelSize, { stride, padding, ceilMode, countIncludePad, divisorOverride }";

/** PyTorch's operators; a prefix of `nn.functional.` or `linalg.` is looked up without it too. */
const operators: Record<string, string | Entry | ((given: Arguments) => Entry)> = {
  ...Object.fromEntries(unary.split(" ").map((name) => [name, `${name}(input)`])),
  ...Object.fromEntries(binary.split(" ").map((name) => [name, `${name}(input, other)`])),
  add: "add(input, other, { alpha })",
  sub: "sub(input, other, { alpha })",
  div: "div(input, other, { roundingMode })",
  clamp: "clamp(input, { min, max })",
  clamp_max: "clampMax(input, max)",
  clamp_min: "clampMin(input, min)",
  // Recorded as x.where(condition, y): the first argument is what is taken where it holds.
  where: { call: "where(condition, input, other)", adapt: reorder(1, 0, 2) },
  masked_fill: "maskedFill(input, mask, value)",

  sum: "sum(input, { dim, keepdim })",
  mean: "mean(input, { dim, keepdim })",
  prod: "prod(input, { dim, keepdim })",
  var: { call: "variance(input, { dim, correction, keepdim })", adapt: spread },
  std: { call: "std(input, { dim, correction, keepdim })", adapt: spread },
  var_mean: { call: "varMean(input, { dim, correction, keepdim })", adapt: spread },
  std_mean: { call: "stdMean(input, { dim, correction, keepdim })", adapt: spread },
  amax: "amax(input, { dim, keepdim })",
  amin: "amin(input, { dim, keepdim })",
  argmax: "argmax(input, { dim, keepdim })",
  argmin: "argmin(input, { dim, keepdim })",
  max: extremum("max"),
  min: extremum("min"),
  logsumexp: "logsumexp(input, { dim, keepdim })",
  norm: { call: "norm(input, { p, dim, keepdim })", adapt: frobenius },
  "linalg.vector_norm": "vectorNorm(input, { ord, dim, keepdim })",
  cumsum: "cumsum(input, dim)",

  reshape: "reshape(input, shape)",
  view: "reshape(input, shape)",
  permute: "permute(input, dims)",
  transpose: "transpose(input, dim0, dim1)",
  expand: "expand(input, shape)",
  broadcast_to: "broadcastTo(input, shape)",
  flatten: "flatten(input, { startDim, endDim })",
  squeeze: "squeeze(input, dim)",
  unsqueeze: "unsqueeze(input, dim)",
  cat: "cat(tensors, { dim })",
  stack: "stack(tensors, { dim })",
  chunk: "chunk(input, chunks, { dim })",
  split: "split(input, splitSize, { dim })",
  narrow: { call: "narrow(input, dim, start, length)", adapt: scalarAt(2) },
  gather: "gather(input, dim, index)",
  index_select: "indexSelect(input, dim, index)",
  flip: "flip(input, dims)",
  roll: "roll(input, shifts, dims)",
  repeat: "repeat(input, sizes)",
  tile: "tile(input, dims)",
  tril: "tril(input, diagonal)",
  triu: "triu(input, diagonal)",
  diagonal: "diagonal(input, { offset, dim1, dim2 })",
  unfold: "unfold(input, dimension, size, step)",

  mm: "mm(input, mat2)",
  bmm: "bmm(input, mat2)",
  mv: "mv(input, vec)",
  dot: "dot(input, other)",
  outer: "outer(input, vec2)",
  einsum: { call: "einsum(equation, tensors)", adapt: equationFirst },
  addmm: "addmm(input, mat1, mat2, { beta, alpha })",

  linear: "linear(input, weight, bias)",
  bilinear: "bilinear(input1, input2, weight, bias)",
  conv1d: `conv1d(${convolution})`,
  conv2d: `conv2d(${convolution})`,
  conv3d: `conv3d(${convolution})`,
  conv_transpose1d: `convTranspose1d(${transposed})`,
  conv_transpose2d: `convTranspose2d(${transposed})`,
  conv_transpose3d: `convTranspose3d(${transposed})`,
  max_pool1d: `maxPool1d(${maxPooling})`,
  max_pool2d: `maxPool2d(${maxPooling})`,
  max_pool3d: `maxPool3d(${maxPooling})`,
  avg_pool1d: `avgPool1d(${avgPooling})`,
  avg_pool2d: `avgPool2d(${avgPooling})`,
  avg_pool3d: `avgPool3d(${avgPooling})`,
  adaptive_avg_pool1d: "adaptiveAvgPool1d(input, outputSize)",
  adaptive_avg_pool2d: "adaptiveAvgPool2d(input, outputSize)",
  adaptive_avg_pool3d: "adaptiveAvgPool3d(input, outputSize)",
  adaptive_max_pool1d: "adaptiveMaxPool1d(input, outputSize, { returnIndices })",
  adaptive_max_pool2d: "adaptiveMaxPool2d(input, outputSize, { returnIndices })",
  adaptive_max_pool3d: "adaptiveMaxPool3d(input, outputSize, { returnIndices })",
  batch_norm:
    "batchNorm(input, runningMean, runningVar, weight, bias, { training, momentum, eps })",
  // Its further results, the saved statistics, are not part of the function here.
  native_batch_norm: {
    call: "batchNorm(input, runningMean, runningVar, weight, bias, { training, momentum, eps })",
    adapt: reorder(0, 3, 4, 1, 2, 5, 6, 7),
  },
  instance_norm:
    "instanceNorm(input, { runningMean, runningVar, weight, bias, useInputStats, momentum, eps })",
  layer_norm: "layerNorm(input, normalizedShape, weight, bias, { eps })",
  group_norm: "groupNorm(input, numGroups, weight, bias, { eps })",
  rms_norm: "rmsNorm(input, normalizedShape, weight, { eps })",
  local_response_norm: "localResponseNorm(input, size, { alpha, beta, k })",
  normalize: "normalize(input, { p, dim, eps })",
  cosine_similarity: "cosineSimilarity(x1, x2, { dim, eps })",
  pairwise_distance: "pairwiseDistance(x1, x2, { p, eps, keepdim })",
  relu: { call: "relu(input)", adapt: without("inplace", false) },
  relu6: { call: "relu6(input)", adapt: without("inplace", false) },
  gelu: "gelu(input, { approximate })",
  silu: { call: "silu(input)", adapt: without("inplace", false) },
  leaky_relu: "leakyRelu(input, { negativeSlope })",
  elu: "elu(input, { alpha })",
  selu: { call: "selu(input)", adapt: without("inplace", false) },
  celu: "celu(input, { alpha })",
  softplus: "softplus(input, { beta, threshold })",
  hardtanh: "hardtanh(input, { minVal, maxVal })",
  hardswish: { call: "hardswish(input)", adapt: without("inplace", false) },
  hardsigmoid: { call: "hardsigmoid(input)", adapt: without("inplace", false) },
  mish: { call: "mish(input)", adapt: without("inplace", false) },
  logsigmoid: "logsigmoid(input)",
  softsign: "softsign(input)",
  tanhshrink: "tanhshrink(input)",
  glu: "glu(input, { dim })",
  prelu: "prelu(input, weight)",
  softmax: "softmax(input, dim)",
  log_softmax: "logSoftmax(input, dim)",
  softmin: "softmin(input, dim)",
  dropout: "dropout(input, { p, training })",
  pad: "pad(input, sizes, { mode, value })",
  embedding: { call: "embedding(input, weight, { paddingIdx })", adapt: indexFirst },
  one_hot: "oneHot(input, numClasses)",
  "nn.functional.unfold": "unfold(input, kernelSize, { dilation, padding, stride })",
  fold: "fold(input, outputSize, kernelSize, { dilation, padding, stride })",
  interpolate:
    "interpolate(input, { size, scaleFactor, mode, alignCorners, recomputeScaleFactor, antialias })",
  cross_entropy:
    "crossEntropy(input, target, { weight, sizeAverage, ignoreIndex, reduce, reduction, labelSmoothing })",
  nll_loss: "nllLoss(input, target, { weight, sizeAverage, ignoreIndex, reduce, reduction })",
  mse_loss: `mseLoss(input, target, { ${losses} })`,
  l1_loss: `l1Loss(input, target, { ${losses} })`,
  smooth_l1_loss: `smoothL1Loss(input, target, { ${losses}, beta })`,
  huber_loss: "huberLoss(input, target, { reduction, delta })",
  binary_cross_entropy: `binaryCrossEntropy(input, target, { weight, ${losses} })`,
  binary_cross_entropy_with_logits:
    `binaryCrossEntropyWithLogits(input, target, { weight, ${losses}, posWeight })`,
  kl_div: `klDiv(input, target, { ${losses}, logTarget })`,
  poisson_nll_loss:
    "poissonNllLoss(input, target, { logInput, full, sizeAverage, eps, reduce, reduction })",
  gaussian_nll_loss: "gaussianNllLoss(input, target, variance, { full, eps, reduction })",
  hinge_embedding_loss: `hingeEmbeddingLoss(input, target, { margin, ${losses} })`,
  cosine_embedding_loss: `cosineEmbeddingLoss(input1, input2, target, { margin, ${losses} })`,
  margin_ranking_loss: `marginRankingLoss(input1, input2, target, { margin, ${losses} })`,
  multi_margin_loss: `multiMarginLoss(input, target, { p, margin, weight, ${losses} })`,
  multilabel_margin_loss: `multilabelMarginLoss(input, target, { ${losses} })`,
  multilabel_soft_margin_loss: `multilabelSoftMarginLoss(input, target, { weight, ${losses} })`,
  soft_margin_loss: `softMarginLoss(input, target, { ${losses} })`,
  triplet_margin_loss:
    `tripletMarginLoss(anchor, positive, negative, { margin, p, eps, swap, ${losses} })`,
  scaled_dot_product_attention: {
    call:
      "scaledDotProductAttention(query, key, value, { attnMask, dropoutP, isCausal, scale, enableGqa })",
    adapt: without("dropout_p", 0),
  },
};

const convolutionLayer =
  "inChannels, outChannels, kernelSize, { stride, padding, dilation, groups, bias, paddingMode }";
const transposedLayer =
  "inChannels, outChannels, kernelSize, { stride, padding, outputPadding, groups, bias, dilation, paddingMode }";
const maxPoolLayer = "kernelSize, { stride, padding, dilation, returnIndices, ceilMode }";
const avgPoolLayer = "kernelSize, { stride, padding, ceilMode, countIncludePad, divisorOverride }";
const trackedNorm = "numFeatures, { eps, momentum, affine, trackRunningStats }";

/** PyTorch's modules. */
const modules: Record<string, string> = {
  ...Object.fromEntries([1, 2, 3].flatMap((n) => [
    [`Conv${n}d`, `(${convolutionLayer})`],
    [`ConvTranspose${n}d`, `(${transposedLayer})`],
    [`BatchNorm${n}d`, `(${trackedNorm})`],
    [`LazyBatchNorm${n}d`, `({ eps, momentum, affine, trackRunningStats })`],
    [`InstanceNorm${n}d`, `(${trackedNorm})`],
    [`MaxPool${n}d`, `(${maxPoolLayer})`],
    [`AvgPool${n}d`, `(${avgPoolLayer})`],
    [`AdaptiveAvgPool${n}d`, "(outputSize)"],
    [`AdaptiveMaxPool${n}d`, "(outputSize, { returnIndices })"],
    [`ZeroPad${n}d`, "(padding)"],
    [`ConstantPad${n}d`, "(padding, value)"],
    [`ReflectionPad${n}d`, "(padding)"],
    [`ReplicationPad${n}d`, "(padding)"],
    [`CircularPad${n}d`, "(padding)"],
  ])),
  ...Object.fromEntries(
    "ReLU ReLU6 SiLU SELU Hardswish Hardsigmoid Mish Sigmoid Tanh LogSigmoid Softsign Tanhshrink Identity"
      .split(" ").map((name) => [name, "()"]),
  ),
  Linear: "(inFeatures, outFeatures, { bias })",
  Bilinear: "(in1Features, in2Features, outFeatures, { bias })",
  Embedding: "(numEmbeddings, embeddingDim, { paddingIdx })",
  LayerNorm: "(normalizedShape, { eps, elementwiseAffine, bias })",
  GroupNorm: "(numGroups, numChannels, { eps, affine })",
  RMSNorm: "(normalizedShape, { eps, elementwiseAffine })",
  LocalResponseNorm: "(size, { alpha, beta, k })",
  GELU: "({ approximate })",
  LeakyReLU: "({ negativeSlope })",
  ELU: "({ alpha })",
  CELU: "({ alpha })",
  Softplus: "({ beta, threshold })",
  Hardtanh: "({ minVal, maxVal })",
  PReLU: "({ numParameters, init })",
  GLU: "({ dim })",
  Softmax: "(dim)",
  LogSoftmax: "(dim)",
  Softmin: "(dim)",
  ...Object.fromEntries(
    ["Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout"].map((
      name,
    ) => [name, "({ p })"]),
  ),
  Flatten: "({ startDim, endDim })",
  CrossEntropyLoss: "({ weight, sizeAverage, ignoreIndex, reduce, reduction, labelSmoothing })",
  NLLLoss: "({ weight, sizeAverage, ignoreIndex, reduce, reduction })",
  MSELoss: `({ ${losses} })`,
  L1Loss: `({ ${losses} })`,
  SmoothL1Loss: `({ ${losses}, beta })`,
  HuberLoss: "({ reduction, delta })",
  BCELoss: `({ weight, ${losses} })`,
  BCEWithLogitsLoss: `({ weight, ${losses}, posWeight })`,
  KLDivLoss: `({ ${losses}, logTarget })`,
};

function camelCase(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

interface Signature {
  name: string;
  positional: string[];
  options: string[];
}

function parse(signature: string): Signature {
  const [, name, inner] = /^(\w*)\((.*)\)$/.exec(signature) ?? [];
  if (inner === undefined) throw new AdapterError(`${signature} is no signature`);
  const [positional, options = ""] = inner.split("{");
  const words = (text: string) => text.match(/\w+/g) ?? [];
  return { name, positional: words(positional), options: words(options) };
}

function write(signature: Signature, { args, kwargs }: Arguments, keepNull: boolean): unknown[] {
  const { positional } = signature;
  // Nothing here takes an out: it is passed on to be refused.
  const options = "out" in kwargs ? [...signature.options, "out"] : signature.options;
  const order = [...positional, ...options];
  const values = new Map<string, Value>();
  for (const [place, value] of args.entries()) {
    if (place >= order.length) throw new AdapterError(`no parameter ${place} in ${order}`);
    values.set(order[place], value);
  }
  for (const [key, value] of Object.entries(kwargs)) {
    if (value instanceof Dtype) continue;
    const name = camelCase(key);
    // PyTorch's first parameter is called input or self in different places.
    const known = order.includes(name) ? name : name === "var" ? "variance" : undefined;
    if (known === undefined) throw new AdapterError(`no parameter ${name} in ${order}`);
    values.set(known, value);
  }
  const written: unknown[] = positional.map((name) => values.get(name));
  while (written.length > 0 && written.at(-1) === undefined) written.pop();
  const chosen = options.filter((name) => {
    const value = values.get(name);
    return value !== undefined && (value !== null || keepNull);
  });
  if (chosen.length > 0) {
    while (written.length < positional.length) written.push(undefined);
    written.push(Object.fromEntries(chosen.map((name) => [name, values.get(name)])));
  }
  return written;
}

/** Writes a recorded call of an operator as a call of ours. */
export function operatorCall(op: string, given: Arguments): Call {
  const found = operators[op] ?? operators[op.replace(/^nn\.functional\./, "")];
  if (found === undefined) throw new AdapterError(`no signature for ${op}`);
  const entry = typeof found === "string"
    ? { call: found }
    : typeof found === "function"
    ? found(given)
    : found;
  const signature = parse(entry.call);
  const adapted = "adapt" in entry && entry.adapt ? entry.adapt(given) : given;
  // None means "not given" to a function; a BatchNorm's momentum of None means something else.
  return { name: signature.name, args: write(signature, adapted, false) };
}

/** Writes the arguments of a recorded constructor as ours. */
export function constructorArguments(module: string, given: Arguments): unknown[] {
  const found = modules[module];
  if (found === undefined) throw new AdapterError(`no signature for ${module}`);
  return write(parse(found), given, true);
}

/** PyTorch's keyword options with our spelling; a 0-d tensor becomes its number. */
export function camelCaseOptions(kwargs: Record<string, Value>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(kwargs).map((
      [key, value],
    ) => [camelCase(key), isTensor(value) && value.ndim === 0 ? value.item() : value]),
  );
}
