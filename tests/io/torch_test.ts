import { assertClose } from "../assert_close.ts";
import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import {
  manualSeed,
  nn,
  noGrad,
  optim,
  randn,
  silenceWarnings,
  Tensor,
  tensor,
} from "../../mod.ts";
import {
  decodeTorch,
  encodeTorch,
  loadCheckpoint,
  loadSafetensors,
  loadState,
  loadTorch,
  saveCheckpoint,
  saveSafetensors,
  saveTorch,
} from "../../io/mod.ts";
import { readCases, type RecordedState, toTensor } from "../oracle/recorded.ts";
import { bitsOf, findPython, pythonTest, runPython } from "./python.ts";

const python = await findPython(["torch"]);
// Fresh models are enough here.
silenceWarnings();
const test = (name: string, run: (python: string, folder: string) => Promise<void>): void =>
  pythonTest(name, python, ["torch"], run);

type Told = [dtype: string, shape: number[], bits: string];

function assertTold(actual: unknown, [, shape, bits]: Told, name: string): void {
  assertInstanceOf(actual, Tensor);
  assertEquals([...actual.shape], shape, name);
  assertEquals(bitsOf(actual.data), bits, name);
}

/** The numbers whose bytes are written in hexadecimal digits. */
function numbersOf(bits: string): Float64Array {
  return new Float64Array(Uint8Array.from(bits.match(/../g)!, (byte) => parseInt(byte, 16)).buffer);
}

const NETWORK = `
import torch
torch.set_default_dtype(torch.float64)
def network():
    return torch.nn.Sequential(torch.nn.Conv2d(1, 3, 3), torch.nn.BatchNorm2d(3), torch.nn.ReLU(),
                               torch.nn.Flatten(), torch.nn.Linear(48, 2))
`;

function network(): nn.Sequential {
  return new nn.Sequential(
    new nn.Conv2d(1, 3, 3),
    new nn.BatchNorm2d(3),
    new nn.ReLU(),
    new nn.Flatten(),
    new nn.Linear(48, 2),
  );
}

test("tensors of every kind come from PyTorch bit for bit", async (python, folder) => {
  const told = await runPython(
    python,
    `
import torch
base = torch.arange(24, dtype=torch.float64).reshape(4, 6) / 7
state = {
  "whole": base, "transposed": base.t(), "slice": base[1:3, ::2], "expanded": base[:1].expand(3, 6),
  "row": base[2], "scalar": torch.tensor(-0.0, dtype=torch.float64), "empty": torch.zeros(0, 3),
  "special": torch.tensor([float("inf"), float("-inf"), 5e-324, 1e-300, -0.0, 1/3], dtype=torch.float64),
  "f32": torch.tensor([1/3, 1e-40, 3e38]), "f16": torch.tensor([1/3, 6e-8, 65504.0, float("inf")]).half(),
  "bf16": torch.tensor([1/3, -1e-40, 3e38]).bfloat16(), "i64": torch.tensor([2**53, -2**53, 0]),
  "i32": torch.tensor([-2**31, 5], dtype=torch.int32), "i16": torch.tensor([-7], dtype=torch.int16),
  "i8": torch.tensor([-128, 127], dtype=torch.int8), "u8": torch.tensor([255], dtype=torch.uint8),
  "bool": torch.tensor([True, False]), "parameter": torch.nn.Parameter(torch.ones(2)),
}
torch.save(state, sys.argv[1] + "/zip.pt")
torch.save(state, sys.argv[1] + "/old.pt", _use_new_zipfile_serialization=False)
torch.save(state, sys.argv[1] + "/four.pt", pickle_protocol=4)
print(json.dumps({k: told(v) for k, v in state.items()}))
`,
    [folder],
  ) as Record<string, Told>;
  for (const file of ["zip.pt", "old.pt", "four.pt"]) {
    const state = await loadTorch(`${folder}/${file}`);
    assertInstanceOf(state, Map);
    assertEquals([...state.keys()], Object.keys(told));
    for (const [name, expected] of Object.entries(told)) {
      assertTold(state.get(name), expected, `${file} ${name}`);
    }
    assert((state.get("parameter") as Tensor).requiresGrad);
  }
});

test("tensors that are one in PyTorch stay one", async (python, folder) => {
  const file = `${folder}/tied.pt`;
  await runPython(
    python,
    `
import torch
w = torch.ones(3)
torch.save({"a": w, "b": w, "c": w.view(3)}, sys.argv[1])
print("null")
`,
    [file],
  );
  const state = await loadTorch(file) as Map<string, Tensor>;
  assertEquals(state.get("a"), state.get("b"));
  noGrad(() => state.get("a")!.copy_(5));
  assertEquals(state.get("c")!.toArray(), [5, 5, 5]);
});

test("PyTorch opens a state dict written here", async (python, folder) => {
  manualSeed(11);
  const net = network();
  net.forward(randn([5, 1, 6, 6]));
  net.eval();
  const x = randn([2, 1, 6, 6]);
  const state = net.stateDict();
  await saveTorch(`${folder}/net.pt`, state);
  await saveSafetensors(`${folder}/net.safetensors`, state);
  await saveTorch(`${folder}/x.pt`, new Map([["x", x]]));
  const { told, y, other, metadata } = await runPython(
    python,
    `${NETWORK}
folder = sys.argv[1]
state = torch.load(folder + "/net.pt", weights_only=True)
net = network().eval()
net.load_state_dict(state, strict=True)
y = net(torch.load(folder + "/x.pt", weights_only=True)["x"])
with open(folder + "/net.safetensors", "rb") as f: data = f.read()
length, = struct.unpack("<Q", data[:8])
header = json.loads(data[8:8 + length])
other = {k: data[8 + length + e["data_offsets"][0]:8 + length + e["data_offsets"][1]].hex()
         for k, e in header.items() if e["dtype"] == "F64"}
print(json.dumps({"told": {k: told(v) for k, v in state.items()}, "y": told(y), "other": other,
  "metadata": state._metadata["1"]["version"]}))
`,
    [folder],
  ) as { told: Record<string, Told>; y: Told; other: Record<string, string>; metadata: number };
  assertEquals(Object.keys(told), [...state.keys()]);
  for (const [name, value] of state) {
    assertTold(value, told[name], name);
    const isCounter = name.endsWith("num_batches_tracked");
    assertEquals(told[name][0], isCounter ? "torch.int64" : "torch.float64");
    if (!isCounter) assertEquals(other[name], told[name][2]);
  }
  assertEquals(metadata, 2);
  assertClose(noGrad(() => net.forward(x)), numbersOf(y[2]), 0, 1e-12, "y");
});

for (
  const [name, make, pythonOptimizer] of [
    [
      "SGD",
      (p: Tensor[]) => new optim.SGD(p, { lr: 0.125, momentum: 0.5 }),
      "torch.optim.SGD(net.parameters(), lr=0.125, momentum=0.5)",
    ],
    [
      "Adam",
      (p: Tensor[]) => new optim.Adam(p, { lr: 0.125, weightDecay: 0.25 }),
      "torch.optim.Adam(net.parameters(), lr=0.125, weight_decay=0.25)",
    ],
  ] as const
) {
  test(`training goes on in PyTorch and comes back: ${name}`, async (python, folder) => {
    manualSeed(3);
    const net = network();
    const optimizer = make(net.parameters());
    const steps = (count: number): void => {
      for (let i = 0; i < count; i++) {
        optimizer.zeroGrad();
        net.forward(tensor(new Float64Array(72).map((_, i) => i % 7), { shape: [2, 1, 6, 6] }))
          .square().sum().backward();
        optimizer.step();
      }
    };
    steps(2);
    await saveCheckpoint(`${folder}/here.pt`, { model: net, optimizer, step: 2 });
    await runPython(
      python,
      `${NETWORK}
import inspect
kwargs = {"weights_only": False} if "weights_only" in inspect.signature(torch.load).parameters else {}
saved = torch.load(sys.argv[1] + "/here.pt", **kwargs)
net = network()
net.load_state_dict(saved["model"])
optimizer = ${pythonOptimizer}
optimizer.load_state_dict(saved["optimizer"])
for _ in range(2):
    optimizer.zero_grad()
    (net(torch.arange(72).remainder(7).double().reshape(2, 1, 6, 6)) ** 2).sum().backward()
    optimizer.step()
torch.save({"epoch": 4, "state_dict": net.state_dict(), "optimizer": optimizer.state_dict()},
           sys.argv[1] + "/there.pt")
print("null")
`,
      [folder],
    );
    steps(2);
    const there = await loadState(`${folder}/there.pt`);
    for (const [key, value] of net.stateDict()) {
      there.get(key)!.data.forEach((x, i) =>
        assert(
          Math.abs(x - value.data[i]) <= 1e-9 * (1 + Math.abs(x)),
          `${key} ${x} ${value.data[i]}`,
        )
      );
    }
    const saved = await loadTorch(`${folder}/there.pt`) as Map<string, unknown>;
    assertEquals(saved.get("epoch"), 4);
    const back = make(net.parameters());
    back.loadStateDict(plain(saved.get("optimizer")) as optim.OptimizerStateDict);
    assertEquals(Object.keys(back.stateDict().state).length, net.parameters().length);
  });
}

function plain(value: unknown): unknown {
  if (value instanceof Map) {
    return Object.fromEntries([...value].map(([key, entry]) => [key, plain(entry)]));
  }
  return Array.isArray(value) ? value.map(plain) : value;
}

test("a checkpoint opens with weights_only where PyTorch can", async (python, folder) => {
  const net = network();
  await saveCheckpoint(`${folder}/c.pt`, {
    model: net,
    step: 5,
    extra: { note: "é", list: [1, null] },
  });
  const saved = await runPython(
    python,
    `
import torch
saved = torch.load(sys.argv[1], weights_only=True)
generator = torch.Generator()
generator.set_state(saved["default_generator"])
print(json.dumps([saved["step"], saved["extra"], len(saved["model"]), saved["optimizer"] if "optimizer" in saved else None]))
`,
    [`${folder}/c.pt`],
  );
  assertEquals(saved, [5, { note: "é", list: [1, null] }, 9, null]);
});

const DATA = new URL("../oracle/data/", import.meta.url).pathname;

/** The network whose state was recorded as cnn-dev. */
class Cnn extends nn.Module {
  conv1 = new nn.Conv2d(1, 4, 3, { padding: 1, bias: false });
  bn1 = new nn.BatchNorm2d(4);
  conv2 = new nn.Conv2d(4, 6, 3, { stride: 2, padding: 1 });
  bn2 = new nn.BatchNorm2d(6, { momentum: 0.3 });
  fc = new nn.Linear(96, 5);

  override forward(x: Tensor): Tensor {
    const { relu, maxPool2d } = nn.functional;
    const h = maxPool2d(relu(this.bn1.forward(this.conv1.forward(x))), 2);
    return this.fc.forward(relu(this.bn2.forward(this.conv2.forward(h))).flatten({ startDim: 1 }));
  }
}

Deno.test("the recorded network is read from either file, bit for bit", async () => {
  const { state } = (await readCases<{ arch: string; state: RecordedState }>("trajectory"))
    .find(({ arch }) => arch === "fuse")!;
  const torch = await loadState(`${DATA}cnn-dev.pt`);
  const safe = await loadSafetensors(`${DATA}cnn-dev.safetensors`);
  assertEquals([...torch.keys()], Object.keys(state));
  assertEquals([...torch.keys()].sort(), [...safe.keys()].sort());
  for (const [name, value] of torch) {
    assertEquals(bitsOf(value.data), bitsOf(toTensor(state[name]).data), name);
    assertEquals(bitsOf(value.data), bitsOf(safe.get(name)!.data), name);
  }
  for (const source of [torch, safe]) {
    const net = new Cnn();
    assertEquals(net.loadStateDict(source), { missingKeys: [], unexpectedKeys: [] });
  }
});

test("the recorded network gives PyTorch's output in eval", async (python) => {
  const [, , bits] = await runPython(
    python,
    `
import torch, torch.nn.functional as F
torch.set_default_dtype(torch.float64)
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = torch.nn.Conv2d(1, 4, 3, padding=1, bias=False)
        self.bn1 = torch.nn.BatchNorm2d(4)
        self.conv2 = torch.nn.Conv2d(4, 6, 3, stride=2, padding=1)
        self.bn2 = torch.nn.BatchNorm2d(6, momentum=0.3)
        self.fc = torch.nn.Linear(96, 5)
    def forward(self, x):
        h = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 2)
        return self.fc(F.relu(self.bn2(self.conv2(h))).flatten(1))
net = Net()
net.load_state_dict(torch.load(sys.argv[1]))
print(json.dumps(told(net.eval()(torch.arange(512).remainder(13).double().reshape(2, 1, 16, 16) / 7))))
`,
    [`${DATA}cnn-dev.pt`],
  ) as Told;
  const net = new Cnn();
  net.loadStateDict(await loadState(`${DATA}cnn-dev.pt`));
  const x = tensor(new Float64Array(512).map((_, i) => i % 13 / 7), { shape: [2, 1, 16, 16] });
  assertClose(noGrad(() => net.eval().forward(x)), numbersOf(bits), 0, 1e-12, "y");
});

Deno.test("PyTorch files keep plain values and names", async () => {
  const value = {
    flags: [true, false, null],
    numbers: [0, -1, 255, 256, -(2 ** 31), 2 ** 31, 2 ** 53, 0.1, -0, NaN, Infinity],
    text: "naïve\u0000\u{1f600}",
    7: { nested: new Map<string | number, Tensor>([["w", tensor([[1], [2]])], [3, tensor(4)]]) },
  };
  const loaded = await decodeTorch(encodeTorch(value)) as Map<unknown, unknown>;
  assertEquals(loaded.get("flags"), value.flags);
  const numbers = loaded.get("numbers") as number[];
  assert(numbers.every((x, i) => Object.is(x, value.numbers[i])));
  assertEquals(loaded.get("text"), value.text);
  const nested = (loaded.get(7) as Map<string, Map<unknown, Tensor>>).get("nested")!;
  assertEquals(nested.get("w")!.toArray(), [[1], [2]]);
  assertEquals(nested.get(3)!.item(), 4);
});

Deno.test("a model that came through a file gives the same output", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const net = network().eval();
    const x = randn([2, 1, 6, 6]);
    await saveCheckpoint(`${folder}/c`, { model: net });
    const other = network().eval();
    await loadCheckpoint(`${folder}/c`, { model: other });
    assertEquals(other.forward(x).data, net.forward(x).data);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
