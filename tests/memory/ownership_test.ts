/**
 * Memory that a row of modules gives back early is memory that nobody can see: whatever a user holds keeps its
 * values. TAPEGRAD_STEPS says how many steps that is tried.
 */
import { assert, assertEquals } from "@std/assert";
import {
  grad,
  kernels,
  manualSeed,
  nn,
  noGrad,
  randn,
  silenceWarnings,
  type Tensor,
  zeros,
} from "../../mod.ts";
import { setPooledFrom } from "../../autograd/runtime/memory.ts";
import { valuesOf } from "../../autograd/tensor.ts";

silenceWarnings();

const STEPS = Number(Deno.env.get("TAPEGRAD_STEPS") ?? 400);

/** A value that somebody holds, and what it was when he got it. */
interface Held {
  readonly what: string;
  readonly tensor: Tensor;
  readonly values: Float64Array;
  readonly until: number;
}

/** Numbers that decide what happens in a step. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = Math.imul(state, 1664525) + 1013904223 >>> 0;
    return Math.floor(state / 2 ** 32 * sides);
  };
}

/** Keeps what passes through it, in and out. */
class Keeper extends nn.Module<[x: Tensor], Tensor> {
  readonly seen: Tensor[];
  constructor(seen: Tensor[]) {
    super();
    this.seen = seen;
  }
  override forward(x: Tensor): Tensor {
    const y = x.mul(1.5);
    this.seen.push(x, y);
    return y;
  }
}

/** Passes its input on, after it has kept it. */
class Spy extends nn.Identity {
  seen: Tensor[] = [];
  override forward(x: Tensor): Tensor {
    this.seen.push(x);
    return x;
  }
}

function layers(): nn.Module[] {
  return [
    new nn.Conv2d(2, 3, 3, { padding: 1 }),
    new nn.BatchNorm2d(3),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Identity(),
    new nn.Conv2d(3, 4, 3, { padding: 1, bias: false }),
    new nn.BatchNorm2d(4),
    new nn.GELU(),
    new nn.AvgPool2d(2),
    new nn.Flatten(),
    new nn.Dropout(0.25),
    new nn.Linear(16, 5),
    new nn.Tanh(),
    new nn.LayerNorm(5),
    new nn.Linear(5, 3),
  ];
}

Deno.test(`what a user holds keeps its values, over ${STEPS} steps`, () => {
  setPooledFrom(1);
  manualSeed(1);
  const roll = dice(7);
  let held: Held[] = [];
  const hold = (step: number, what: string, ...tensors: readonly (Tensor | null)[]) => {
    for (const tensor of tensors) {
      if (tensor === null) continue;
      // Not by `data`, which would move the values out of the pool.
      const values = valuesOf(tensor).slice();
      held.push({ what, tensor, values, until: step + 1 + roll(40) });
    }
  };
  const row = new nn.Sequential(...layers());
  const parameters = row.parameters();
  for (let step = 0; step < STEPS; step++) {
    const seen: Tensor[] = [];
    const at = roll(row.length);
    const original = row.at(at);
    const removals: (() => void)[] = [];
    const replace = (module: nn.Module) => {
      row.set(at, module);
      removals.push(() => row.set(at, original));
    };
    const kind = roll(12);
    if (kind === 0) {
      const hook = original.registerForwardHook((_, inputs, output) => {
        seen.push(...inputs, output);
      });
      removals.push(() => hook.remove());
    } else if (kind === 1) {
      const hook = original.registerForwardPreHook((_, inputs) => void seen.push(...inputs));
      removals.push(() => hook.remove());
    } else if (kind === 2) {
      const { forward } = original;
      original.forward = (x: Tensor) => {
        const y = forward.call(original, x);
        seen.push(x, y);
        return y;
      };
      removals.push(() => delete (original as { forward?: unknown }).forward);
    } else if (kind === 3) {
      replace(new Keeper(seen));
    } else if (kind === 4) {
      const spy = new Spy();
      spy.seen = seen;
      replace(spy);
    } else if (kind === 5) {
      replace(new nn.Sequential(original, new Keeper(seen)));
    } else if (kind === 6) {
      // Fails after it has kept its input.
      const failing = new Spy();
      failing.forward = (x: Tensor) => {
        seen.push(x);
        throw new Error("on purpose");
      };
      replace(failing);
    }
    row.train(roll(4) > 0);
    const x = randn([4, 2, 8, 8]).requiresGrad_(roll(2) === 0);
    hold(step, "the input", x);
    try {
      const run = () => row.forward(x);
      const y = roll(5) === 0 ? noGrad(run) : run();
      hold(step, "the output", y, y.detach(), y.reshape([-1]));
      hold(step, "what passed", ...seen.splice(0));
      if (y.requiresGrad) {
        const leaf = x.requiresGrad ? [x, ...parameters] : parameters;
        const retainGraph = roll(3) === 0;
        if (roll(4) === 0) {
          const first = grad(y.square().sum(), leaf, { createGraph: true, allowUnused: true });
          hold(step, "a gradient on the tape", ...first);
          const sum = first.reduce<Tensor>(
            (sum, g) => g === null ? sum : sum.add(g.sum()),
            zeros([]),
          );
          if (sum.requiresGrad) hold(step, "its own", ...grad(sum, leaf, { allowUnused: true }));
        } else {
          const loss = y.square().sum();
          loss.backward(null, { retainGraph });
          if (retainGraph) loss.backward();
          hold(step, "a gradient", ...parameters.map(({ grad }) => grad));
          for (const parameter of parameters) parameter.grad = null;
        }
      }
    } catch (error) {
      // Layers of other shapes than a Keeper's, and those that fail on purpose.
      if (!(error instanceof Error) || !/on purpose|Cannot/.test(error.message)) throw error;
      for (const parameter of parameters) parameter.grad = null;
    }
    hold(step, "what passed before a fault", ...seen);
    for (const remove of removals) remove();
    for (const { what, tensor, values, until } of held) {
      if (until !== step && step < STEPS - 1) continue;
      assertEquals(
        valuesOf(tensor),
        values,
        `${what}, in step ${step}`,
      );
    }
    held = held.filter(({ until }) => until > step);
  }
});

Deno.test("a row computes what its layers compute one by one", () => {
  setPooledFrom(1);
  const row = new nn.Sequential(...layers().filter((layer) => !(layer instanceof nn.Dropout)));
  const other = row.deepCopy();
  for (let step = 0; step < 20; step++) {
    const x = randn([4, 2, 8, 8]);
    const y = row.forward(x);
    const z = [...other].reduce((x, layer) => layer.forward(x) as Tensor, x);
    for (const [result, module] of [[y, row], [z, other]] as const) {
      module.zeroGrad();
      result.square().sum().backward();
    }
    assertEquals(y.toArray(), z.toArray());
    other.parameters().forEach((p, i) =>
      assertEquals(row.parameters()[i].grad!.toArray(), p.grad!.toArray())
    );
  }
});

Deno.test("what passes between the layers of a row goes back without a collection", () => {
  setPooledFrom(1);
  const row = new nn.Sequential(...layers());
  const x = randn([64, 2, 8, 8]);
  const used = () => kernels.info().memory.pooledBytes;
  const growth = (steps: number, step: () => void) => {
    step();
    const before = used();
    for (let i = 0; i < steps; i++) step();
    return (used() - before) / steps;
  };
  const inference = growth(10, () => void noGrad(() => row.forward(x)));
  const oneByOne = growth(10, () => void noGrad(() => [...row].reduce((x, m) => m.forward(x), x)));
  // What stays are second outputs: statistics, places of largest values, masks.
  assert(
    inference < oneByOne / 3,
    `${inference} bytes stay of each forward, ${oneByOne} one by one`,
  );
  const training = (forward: () => Tensor) => () => {
    row.zeroGrad();
    forward().sum().backward();
  };
  const trained = growth(10, training(() => row.forward(x)));
  const trainedOneByOne = growth(10, training(() => [...row].reduce((x, m) => m.forward(x), x)));
  assert(trained < trainedOneByOne / 2, `${trained} bytes stay, ${trainedOneByOne} one by one`);
});
