"""Runs programs in PyTorch: one JSON list of statements a line in, one JSON list of observations a line out."""
import json
import math
import sys

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
MASK = 0xFFFFFFFF
SHOWN = 24
CONTIGUOUS = torch.contiguous_format


def values_of(seed, count):
    out = []
    for i in range(count):
        h = ((seed ^ ((i + 1) * 0x9E3779B1 & MASK)) * 0x85EBCA6B) & MASK
        h = ((h ^ h >> 15) * 0xC2B2AE35) & MASK
        h = h ^ h >> 13
        out.append(h / 2**30 - 2)
    return out


def leaf(shape, seed):
    return torch.tensor(values_of(seed, math.prod(shape))).reshape(shape)


def numbers_of(x):
    if x is None:
        return [None]
    values = x.detach().double().reshape(-1)
    if values.numel() <= SHOWN:
        return values.tolist()
    weights = torch.cos(torch.arange(values.numel(), dtype=torch.float64))
    sums = [values.sum(), (values * values).sum(), (values * weights).sum(), values.abs().max()]
    return [s.item() for s in sums] + values[:SHOWN].tolist()


def show(x):
    return [1 if x.requires_grad else 0, *x.shape, *numbers_of(x)]


def weighted_sum(x):
    return (x * torch.cos(torch.arange(x.numel()) + 1.0).reshape(x.shape)).sum()


def normalised(y):
    # The second derivative of batch norm is wrong in 1.13 where the cotangent is a permuted view.
    if y.requires_grad:
        y.register_hook(lambda g: g if g is None else g.contiguous())
    return y


def copied(view):
    return view.clone(memory_format=CONTIGUOUS)


UNARY = ["neg", "exp", "log", "sqrt", "square", "reciprocal", "sin", "cos", "tanh", "sigmoid", "erf",
         "abs", "relu", "clone", "detach"]
FUNCTIONAL = ["silu", "gelu", "softplus", "leaky_relu", "elu", "selu", "mish", "hardtanh"]
CALLS = {
    **{name: (lambda a, t, n=name: getattr(torch.Tensor, n)(a[0])) for name in UNARY},
    **{name: (lambda a, t, n=name: getattr(F, n)(a[0])) for name in FUNCTIONAL},
    **{name: (lambda a, t, n=name: getattr(torch, n)(a[0], a[1]))
       for name in ["add", "sub", "mul", "div", "maximum", "minimum", "matmul"]},
    **{name: (lambda a, t, n=name: getattr(torch, n)(a[0], dim=t["dim"], keepdim=t["keepdim"]))
       for name in ["sum", "mean", "amax", "amin", "logsumexp", "var"]},
    # What rounding leaves of a zero must not decide.
    "where": lambda a, t: torch.where(a[0] > 1e-6, a[1], a[2]),
    "clamp": lambda a, t: a[0].clamp(-1, 1),
    "cumsum": lambda a, t: a[0].cumsum(t["dim"]),
    "softmax": lambda a, t: a[0].softmax(t["dim"]),
    "log_softmax": lambda a, t: a[0].log_softmax(t["dim"]),
    "reshape": lambda a, t: a[0].reshape(t["shape"]),
    "transpose": lambda a, t: copied(a[0].transpose(t["a"], t["b"])),
    "permute": lambda a, t: copied(a[0].permute(t["dims"])),
    "narrow": lambda a, t: copied(a[0].narrow(t["dim"], t["start"], t["length"])),
    "select": lambda a, t: copied(a[0].select(t["dim"], t["index"])),
    "flip": lambda a, t: a[0].flip(t["dims"]),
    "roll": lambda a, t: a[0].roll(t["shift"], t["dim"]),
    "unsqueeze": lambda a, t: a[0].unsqueeze(t["dim"]),
    "expand": lambda a, t: copied(a[0].expand(t["shape"])),
    "repeat": lambda a, t: a[0].repeat(t["sizes"]),
    "tril": lambda a, t: a[0].tril(),
    "cat": lambda a, t: torch.cat([a[0], a[1]], t["dim"]),
    "stack": lambda a, t: torch.stack([a[0], a[1]], t["dim"]),
    "index_select": lambda a, t: a[0].index_select(t["dim"], torch.tensor(t["index"])),
    # A view in PyTorch, of which one made without grad cannot be edited.
    "linear": lambda a, t: copied(F.linear(a[0], a[1], a[2])),
    "conv2d": lambda a, t: F.conv2d(a[0], a[1], None, t["stride"], t["padding"]),
    "conv1d": lambda a, t: F.conv1d(a[0], a[1], None, 1, t["padding"]),
    "max_pool2d": lambda a, t: F.max_pool2d(a[0], 2),
    "avg_pool2d": lambda a, t: F.avg_pool2d(a[0], 2),
    "batch_norm": lambda a, t: normalised(F.batch_norm(a[0], None, None, None, None, True)),
    "layer_norm": lambda a, t: F.layer_norm(a[0], a[0].shape[-1:]),
    "group_norm": lambda a, t: F.group_norm(a[0], t["groups"]),
    "cross_entropy": lambda a, t: F.cross_entropy(a[0], torch.tensor(t["target"])),
}


def norm_options(t):
    return {"momentum": None if t["momentum"] == -1 else t["momentum"], "affine": t["affine"],
            "track_running_stats": t["track"]}


LAYERS = {
    "BatchNorm1d": lambda t: torch.nn.BatchNorm1d(t["n"], **norm_options(t)),
    "BatchNorm2d": lambda t: torch.nn.BatchNorm2d(t["n"], **norm_options(t)),
    "InstanceNorm2d": lambda t: torch.nn.InstanceNorm2d(t["n"], **norm_options(t)),
    "LayerNorm": lambda t: torch.nn.LayerNorm([t["n"]]),
    "Linear": lambda t: torch.nn.Linear(t["n"], t["out"]),
    "Conv2d": lambda t: torch.nn.Conv2d(t["n"], t["out"], 3, padding=1),
    "Mlp": lambda t: torch.nn.Sequential(torch.nn.Linear(t["n"], t["out"]),
                                         torch.nn.BatchNorm1d(t["out"]), torch.nn.ReLU(),
                                         torch.nn.Linear(t["out"], 2)),
}
KEYS = {"weightDecay": "weight_decay"}


class Execution:
    def __init__(self):
        self.made = []

    def run(self, s):
        try:
            made, observation = getattr(self, s["kind"])(s)
        except (RuntimeError, ValueError, TypeError, IndexError):
            made, observation = None, "threw"
        self.made.append(made)
        return observation

    def get(self, at):
        if self.made[at] is None:
            raise RuntimeError("made nothing")
        return self.made[at]

    def leaf(self, s):
        x = leaf(s["shape"], s["seed"]).requires_grad_(s["requiresGrad"])
        return x, show(x)

    def call(self, s):
        args = [self.get(arg) for arg in s["args"]]
        with torch.set_grad_enabled(not s["noGrad"]):
            y = CALLS[s["name"]](args, s["attrs"])
        return y, show(y)

    def copy(self, s):
        target, source = self.get(s["target"]), self.get(s["source"])
        with torch.set_grad_enabled(not s["noGrad"]):
            target.copy_(source)
        return target, show(target)

    def module(self, s):
        module = LAYERS[s["layer"]](s["attrs"])
        with torch.no_grad():
            for i, p in enumerate(module.parameters()):
                p.copy_(leaf(p.shape, s["seed"] + i))
        return module, []

    def mode(self, s):
        self.get(s["module"]).train(s["training"])
        return None, []

    def forward(self, s):
        module = self.get(s["module"])
        y = normalised(module(self.get(s["x"])))
        return y, show(y) + [v for b in module.buffers() for v in numbers_of(b)]

    def grad(self, s):
        second = s["order"] == 2
        root, target = weighted_sum(self.get(s["of"])), self.get(s["by"])
        [g] = torch.autograd.grad(root, [target], allow_unused=True, retain_graph=True,
                                  create_graph=second)
        if second and (g is None or not g.requires_grad):
            return None, [None]
        if second:
            squares = weighted_sum(g.square())
            if not squares.requires_grad:
                return None, [None]
            [g] = torch.autograd.grad(squares, [target], allow_unused=True, retain_graph=True)
            if g is not None and not (g.abs() >= 1e-12).any():
                g = None
        return (None, [None]) if g is None else (g, show(g))

    def backward(self, s):
        weighted_sum(self.get(s["of"])).backward(retain_graph=True)
        out = []
        for made in self.made:
            if isinstance(made, torch.Tensor):
                if made.is_leaf and made.requires_grad:
                    out += numbers_of(made.grad)
            elif isinstance(made, torch.nn.Module):
                for p in made.parameters():
                    out += numbers_of(p.grad)
        return None, out

    def optimizer(self, s):
        params = [self.get(at) for at in s["leaves"]]
        for at in s["modules"]:
            params += list(self.get(at).parameters())
        options = {KEYS.get(k, k): v for k, v in s["attrs"].items()}
        return getattr(torch.optim, s["algorithm"])(params, **options), []

    def step(self, s):
        optimizer = self.get(s["optimizer"])
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return None, [v for g in optimizer.param_groups for p in g["params"] for v in numbers_of(p)]


for line in sys.stdin:
    execution = Execution()
    print(json.dumps([execution.run(s) for s in json.loads(line)]), flush=True)
