/**
 * Trains a step of large tensors where something of WebAssembly is missing, named by the argument, and
 * prints which kernels ran, as JSON.
 */
const missing = Deno.args[0];
const scope = globalThis as unknown as { WebAssembly?: typeof WebAssembly; Worker?: unknown };
if (missing === "everything") delete scope.WebAssembly;
if (missing === "simd") WebAssembly.validate = () => false;
if (missing === "relaxed simd") {
  const { validate } = WebAssembly;
  let asked = 0;
  WebAssembly.validate = (bytes) => asked++ > 0 && validate(bytes);
}
if (missing.startsWith("all but 64 MiB")) {
  const { Memory } = WebAssembly;
  WebAssembly.Memory = function (descriptor: WebAssembly.MemoryDescriptor) {
    if ((descriptor.maximum ?? 0) > 1024) throw new RangeError("no more than 64 MiB");
    return new Memory(descriptor);
  } as unknown as typeof Memory;
}
if (missing === "shared memory") {
  const { Memory } = WebAssembly;
  WebAssembly.Memory = function (descriptor: WebAssembly.MemoryDescriptor) {
    if (descriptor.shared) throw new TypeError("no shared memory");
    return new Memory(descriptor);
  } as unknown as typeof Memory;
}
if (missing.startsWith("compilation")) {
  WebAssembly.Module = function () {
    throw new RangeError("refused in this thread");
  } as unknown as typeof WebAssembly.Module;
}
if (missing === "compilation") {
  WebAssembly.compile = () => Promise.reject(new Error("refused by a policy"));
}

if (missing === "all but 64 MiB before plain kernels") {
  // Plain kernels for the first large tensors shut nothing out for good.
  const { kernels, zeros } = await import("../../mod.ts");
  kernels.configure({ plain: true });
  zeros([100, 100]).add(1);
  kernels.configure({});
}
const { kernels, manualSeed, nn, optim, randn } = await import("../../mod.ts");
manualSeed(0);
const net = new nn.Sequential(
  new nn.Conv2d(3, 8, 3, { padding: 1 }),
  new nn.BatchNorm2d(8),
  new nn.ReLU(),
  new nn.MaxPool2d(2),
  new nn.Flatten(),
  new nn.Linear(8 * 64, 10),
);
const sgd = new optim.SGD(net.parameters(), { lr: 0.1, momentum: 0.9 });
if (missing.startsWith("all but 64 MiB")) {
  // As many as fit, and the rest of the memory still works.
  await kernels.setThreads(16);
  if (kernels.info().threads >= 16) throw new Error("16 threads do not fit");
}
const x = randn([16, 3, 16, 16]);
// More than the pool holds, held to the end.
const held = missing.startsWith("all but 64 MiB")
  ? Array.from({ length: 40 }, () => randn([2 ** 18]))
  : [];
const sums = held.map((tensor) => tensor.sum().item());
const losses: number[] = [];
for (let step = 0; step < 3; step++) {
  const loss = net.forward(x).square().mean();
  sgd.zeroGrad();
  loss.backward();
  sgd.step();
  losses.push(loss.item());
  // Kernels that were compiled in the background take over between two steps.
  await kernels.ready;
}
if (held.some((tensor, i) => tensor.sum().item() !== sums[i])) throw new Error("values were lost");
await kernels.setThreads(1);
console.log(JSON.stringify({ kernels: kernels.info().kernels, losses }));
