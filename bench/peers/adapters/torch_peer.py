"""PyTorch as a peer: float64, --threads N. Speaks the protocol of protocol.ts."""

import argparse
import json
import math
import sys
import time

MARK = "@peer "


def answer(reply):
    sys.stdout.write(MARK + json.dumps(reply) + "\n")
    sys.stdout.flush()


arguments = argparse.ArgumentParser()
arguments.add_argument("--threads", type=int, default=1)
arguments.add_argument("--product", action="store_true", help="print the GFLOP/s of a product and end")
options = arguments.parse_args()

try:
    import numpy
    import torch
    from torch.nn import functional as F
except ImportError as error:
    answer({"missing": str(error)})
    sys.exit(0)

torch.set_num_threads(options.threads)

if options.product:
    a = torch.rand(512, 512, dtype=torch.float64)
    fastest = math.inf
    for _ in range(60):
        start = time.perf_counter()
        a @ a
        fastest = min(fastest, time.perf_counter() - start)
    print(2 * 512**3 / fastest / 1e9)
    sys.exit(0)

LEARNING_RATE = 2.0**-10


def read(specs, path):
    whole = numpy.fromfile(path, dtype="<f8")
    found = {}
    at = 0
    for spec in specs:
        size = math.prod(spec["shape"])
        found[spec["name"]] = torch.from_numpy(whole[at : at + size].copy()).reshape(spec["shape"])
        at += size
    return found


def pull(forward, g, wanted):
    """Forward, and the gradients of y·g by each of `wanted`."""
    leaves = [leaf.requires_grad_() for leaf in wanted.values()]

    def run():
        y = forward()
        return [y, *torch.autograd.grad([y], leaves, [g])]

    def results():
        y, *gradients = run()
        return {"y": y, **{"d" + name: grad for name, grad in zip(wanted, gradients)}}

    return run, results


def training(work, inputs):
    x = inputs.pop("x")
    target = inputs.pop("target").long()
    parameters = {name: value.requires_grad_() for name, value in inputs.items()}
    statistics = {
        name: (torch.zeros_like(value).detach(), torch.ones_like(value).detach())
        for name, value in parameters.items()
        if name.startswith("normBias")
    }

    def norm(h, i):
        mean, var = statistics[f"normBias{i}"]
        weight, bias = parameters[f"normWeight{i}"], parameters[f"normBias{i}"]
        return F.batch_norm(h, mean, var, weight, bias, training=True)

    def forward():
        h = x
        if work["kind"] == "cnn":
            for i in range(len(work["channels"])):
                h = F.conv2d(h, parameters[f"convWeight{i}"], None, padding=1)
                h = F.max_pool2d(F.relu(norm(h, i)), 2)
            h = F.linear(h.flatten(1), parameters["weight"], parameters["bias"])
        else:
            last = len(work["widths"]) - 2
            for i in range(last + 1):
                h = F.linear(h, parameters[f"weight{i}"], parameters[f"bias{i}"])
                if i < last:
                    h = F.relu(norm(h, i))
        return F.cross_entropy(h, target)

    optimizer = torch.optim.SGD(list(parameters.values()), lr=LEARNING_RATE)

    def run():
        optimizer.zero_grad(set_to_none=True)
        loss = forward()
        loss.backward()
        optimizer.step()
        return loss

    def results():
        found = {"loss": run()}
        found.update({"d" + name: value.grad for name, value in parameters.items()})
        found["lossAfter"] = forward()
        return found

    return run, results


def prepare(work, inputs):
    kind = work["kind"]
    if kind == "matmul":
        run = lambda: inputs["a"] @ inputs["b"]
        return run, lambda: {"out": run()}
    if kind == "elementwise":
        x, y = inputs["x"], inputs["y"]
        run = {
            "add": lambda: torch.add(x, y),
            "relu": lambda: torch.relu(x),
            "exp": lambda: torch.exp(x),
            "sum": lambda: torch.sum(x),
        }[work["op"]]
        return run, lambda: {"out": run()}
    if kind == "batchNorm":
        x, weight, bias = inputs["x"], inputs["weight"], inputs["bias"]
        mean, var = torch.zeros_like(weight), torch.ones_like(weight)
        forward = lambda: F.batch_norm(x, mean, var, weight, bias, training=True)
        return pull(forward, inputs["g"], {"x": x, "weight": weight, "bias": bias})
    if kind == "conv":
        x, weight = inputs["x"], inputs["weight"]
        forward = lambda: F.conv2d(x, weight, None, padding=(work["kernel"] - 1) // 2)
        return pull(forward, inputs["g"], {"x": x, "weight": weight})
    if kind == "trackedAdd":
        x, y = inputs["x"].requires_grad_(), inputs["y"]

        def add_many():
            for _ in range(work["times"]):
                torch.add(x, y)

        def added():
            out = torch.add(x, y)
            return {"out": out, "dx": torch.autograd.grad(out.sum(), x)[0]}

        return add_many, added
    if kind == "tiny":
        x, a, b = inputs["x"].requires_grad_(), inputs["a"], inputs["b"]

        def chain():
            h = x
            for _ in range(0, work["operations"], 2):
                h = torch.add(torch.mul(h, a), b)
            return h, torch.autograd.grad(h.sum(), x)[0]

        return chain, lambda: dict(zip(("out", "dx"), chain()))
    if kind == "chain":
        x, a, b = inputs["x"], inputs["a"], inputs["b"]

        def chain():
            h = x
            for _ in range(0, work["operations"], 3):
                h = torch.relu(torch.add(torch.mul(h, a), b))
            return h

        def read():
            with torch.no_grad():
                return chain().sum().item()

        return read, lambda: {"out": chain()}
    if kind in ("mlp", "cnn"):
        return training(work, inputs)
    raise ValueError(f"no such work: {kind}")


def measure(run, warmup, seconds):
    """Wall time and the process's own, in milliseconds of one run."""

    def runs(times):
        start = time.perf_counter()
        for _ in range(times):
            run()
        return (time.perf_counter() - start) * 1000

    def both(times):
        cpu = time.process_time()
        wall = runs(times) / times
        return wall, (time.process_time() - cpu) * 1000 / times

    fastest = math.inf
    end = time.perf_counter() + warmup
    while time.perf_counter() < end:
        fastest = min(fastest, runs(1))
    if fastest == math.inf:
        fastest = runs(1)
    together = max(1, math.ceil(1 / max(fastest, 1e-3)))
    times = []
    end = time.perf_counter() + seconds
    while True:
        times.append(both(together))
        if time.perf_counter() >= end:
            return [wall for wall, _ in times], [cpu for _, cpu in times]


def obey(request, prepared):
    if request["command"] == "load":
        prepared = prepare(request["work"], read(request["inputs"], request["file"]))
        answer({"loaded": True})
        return prepared
    run, results = prepared
    if request["command"] == "results":
        found = results()
        arrays = [found[name].detach().double().numpy().ravel() for name in request["names"]]
        numpy.concatenate(arrays).astype("<f8").tofile(request["file"])
        answer({"sizes": [array.size for array in arrays]})
    else:
        times, cpu = measure(run, request["warmup"], request["seconds"])
        answer({"times": times, "cpu": cpu})
    return prepared


plural = "s" if options.threads > 1 else ""
answer({
    "version": f"{torch.__version__}, {options.threads} thread{plural}, Python {sys.version.split()[0]}",
    "dtype": "float64",
    "tolerance": 1e-9,
})
prepared = None
for line in sys.stdin:
    try:
        prepared = obey(json.loads(line), prepared)
    except Exception as error:  # told to the runner, which goes on with the next row
        answer({"unsupported": f"failed: {str(error) or type(error).__name__}"})
