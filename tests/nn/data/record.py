"""Records what PyTorch computes for losses and layers at their edges, for tests/nn/recorded_test.ts.

Run with PyTorch (1.13 was used): python3 -W ignore tests/nn/data/record.py
Lines have the form of those in tests/oracle/data; v and second are cotangents of the gradients
and the gradients of gradients. Left out is where later versions compute something else.
"""
import gzip
import json
import math
import pathlib

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
torch.manual_seed(3)
folder = pathlib.Path(__file__).parent
inf, nan = math.inf, math.nan
tensor = torch.tensor


def number(x):
    return "nan" if math.isnan(x) else "inf" if x == inf else "-inf" if x == -inf else x


def encode(value):
    if isinstance(value, torch.Tensor):
        kind = "float64" if value.is_floating_point() else "int64"
        data = [number(x) if kind == "float64" else x for x in (value.detach() + 0).flatten().tolist()]
        return {"tensor": list(value.shape), "dtype": kind, "data": data, "grad": value.requires_grad}
    return {"list": list(value)} if isinstance(value, (list, tuple)) else value


def short(x):
    return (x * 100).round() / 100


def normal(*shape):
    return short(torch.randn(shape)).requires_grad_()


def uniform(*shape):
    return short(torch.rand(shape) * 0.98 + 0.01).requires_grad_()


def leaf(*values):
    return tensor(values).requires_grad_()


class Lines:
    def __init__(self, name):
        # Without a time stamp the same lines make the same file.
        self.file = gzip.GzipFile(folder / name, "wb", mtime=0)

    def write(self, line):
        self.file.write((json.dumps(line, separators=(",", ":")) + "\n").encode())


losses = Lines("losses.jsonl.gz")


def loss(name, *args, second=False, **kwargs):
    line = {"op": f"nn.functional.{name}", "args": [encode(a) for a in args]}
    line["kwargs"] = {key: encode(value) for key, value in kwargs.items()}
    try:
        out = getattr(F, name)(*args, **kwargs)
    except (RuntimeError, ValueError, IndexError, AssertionError) as error:
        losses.write({**line, "error": str(error)[:80]})
        return
    line["out"] = [encode(out)]
    inputs = [a for a in (*args, *kwargs.values()) if isinstance(a, torch.Tensor) and a.requires_grad]
    g = short(torch.randn(out.shape))
    gradients = torch.autograd.grad(out, inputs, g, allow_unused=True, create_graph=second)
    line["gradOut"] = [encode(g)]
    line["gradIn"] = [None if x is None else encode(x) for x in gradients]
    if second:
        v = [short(torch.randn(x.shape)) for x in inputs]
        total = sum((x * y).sum() for x, y in zip(gradients, v) if x is not None)
        twice = torch.autograd.grad(total, inputs, allow_unused=True)
        line["v"] = [encode(x) for x in v]
        line["second"] = [None if x is None else encode(x) for x in twice]
    losses.write(line)


def classification(reduction):
    r = {"reduction": reduction}
    for shape in [(3,), (2, 3), (2, 3, 2), (2, 3, 1, 2, 2), (0, 3), (2, 3, 0)]:
        positions = shape[:1] + shape[2:] if len(shape) > 1 else ()
        target = torch.randint(0, 3, positions)
        for weight in [None, tensor([0.5, 1.5, 0.2])]:
            for smoothing in [0.0, 0.2]:
                loss("cross_entropy", normal(*shape), target, weight=weight, second=True,
                     ignore_index=1, label_smoothing=smoothing, **r)
                loss("cross_entropy", normal(*shape), uniform(*shape), weight=weight, second=True,
                     label_smoothing=smoothing, **r)
            loss("nll_loss", normal(*shape), target, weight=weight, ignore_index=1, **r)
    loss("cross_entropy", normal(2, 3), tensor([-1, 2]), ignore_index=-1, **r)
    loss("cross_entropy", normal(2, 3), tensor([0, 0]), weight=tensor([0.0, 1, 2]), label_smoothing=0.2, **r)
    for ignored in ["cross_entropy", "nll_loss"]:
        loss(ignored, normal(2, 3), tensor([1, 1]), ignore_index=1, **r)
    rows = [[-inf, 0, 1], [inf, 0, 1], [nan, 0, 1], [-inf, -inf, -inf]]
    loss("cross_entropy", leaf(*rows), tensor([1, 1, 1, 1]), **r)
    loss("cross_entropy", leaf([-inf, 0, 1]), tensor([0]), **r)
    loss("cross_entropy", leaf([1000.0, 0, -1000]), tensor([1]), **r)
    loss("nll_loss", leaf([-inf, 0, 1], [2.0, 3, 4]), tensor([0, 1]), ignore_index=0, **r)


def regression(reduction):
    r = {"reduction": reduction}
    edges = [-2, -1, -0.5, 0, 0.5, 1, 2, inf, -inf, nan, 1e200]
    for name, variants in [("mse_loss", [{}]), ("l1_loss", [{}]),
                           ("smooth_l1_loss", [{}, {"beta": 0.5}]),
                           ("huber_loss", [{}, {"delta": 0.5}])]:
        for kwargs in variants:
            loss(name, leaf(*edges), torch.zeros(11).requires_grad_(), **kwargs, **r)
            loss(name, normal(2, 3), normal(2, 3), second=True, **kwargs, **r)
        loss(name, normal(0, 3), normal(0, 3), **r)
        loss(name, normal(), normal(), **r)
    for full in [False, True]:
        for log_input in [False, True]:
            loss("poisson_nll_loss", uniform(4), leaf(1.5, 2, 3, 0.5), second=True, full=full,
                 log_input=log_input, **r)
        loss("gaussian_nll_loss", normal(2, 3), normal(2, 3), uniform(2, 3), second=True, full=full, **r)
    loss("gaussian_nll_loss", normal(3, 2), normal(3, 2), leaf([0.0], [1e-9], [0.5]), **r)
    loss("gaussian_nll_loss", normal(3, 2), normal(3, 2), uniform(3), **r)


def binary(reduction):
    r = {"reduction": reduction}
    loss("binary_cross_entropy", leaf(0, 1, 0, 1, 0.5, 1e-14, 1e-50), tensor([0, 1.0, 1, 0, 1, 1, 1]), **r)
    loss("binary_cross_entropy", leaf(0.5, 1e-14), leaf(0.3, 0.9), **r)
    loss("binary_cross_entropy", uniform(2, 3), uniform(2, 3), weight=tensor([0.2, 1, 3]), second=True, **r)
    for kwargs in [{}, {"weight": uniform(3).detach()}, {"pos_weight": uniform(3).detach()},
                   {"weight": uniform(1).detach(), "pos_weight": tensor(3.0)}]:
        name = "binary_cross_entropy_with_logits"
        loss(name, leaf([1000.0, -1000, 0], [40, -40, nan]), uniform(2, 3).detach(), **kwargs, **r)
        loss(name, normal(2, 3), uniform(2, 3), second=True, **kwargs, **r)
    for log_target in [False, True]:
        loss("kl_div", normal(2, 3), uniform(2, 3), log_target=log_target, second=True, **r)
    loss("kl_div", normal(4), tensor([0, 1, 0.5, 0]), **r)
    signs = tensor([1.0, -1, 1, -1])
    loss("soft_margin_loss", normal(4), signs, second=True, **r)
    loss("multilabel_soft_margin_loss", normal(2, 3), tensor([[0.0, 1, 1], [1, 0, 0]]),
         weight=uniform(3).detach(), second=True, **r)


def margins(reduction):
    r = {"reduction": reduction}
    signs = tensor([1.0, -1, 1, -1])
    loss("hinge_embedding_loss", normal(4), signs, margin=0.3, **r)
    loss("cosine_embedding_loss", normal(4, 3), normal(4, 3), signs, margin=0.1, second=True, **r)
    loss("cosine_embedding_loss", normal(3), normal(3), tensor(1.0), **r)
    loss("margin_ranking_loss", normal(4), normal(4), signs, margin=0.2, **r)
    loss("triplet_margin_loss", normal(4, 3), normal(4, 3), normal(4, 3), swap=True, second=True, **r)
    loss("triplet_margin_loss", normal(4, 3), normal(1, 3), normal(4, 3), p=3, margin=0.5, **r)
    for p in [1, 2]:
        loss("multi_margin_loss", normal(3, 4), tensor([0, 3, 1]), p=p, weight=uniform(4).detach(), **r)
        loss("multi_margin_loss", normal(4), tensor([2]), p=p, margin=0.5, **r)
    loss("multilabel_margin_loss", normal(3, 4), tensor([[0, 2, -1, 1], [-1, 0, 0, 0], [3, 2, 1, 0]]), **r)
    loss("multilabel_margin_loss", normal(4), tensor([1, -1, 0, 0]), **r)


for reduction in ["none", "mean", "sum"]:
    classification(reduction)
    regression(reduction)
    binary(reduction)
    margins(reduction)
loss("kl_div", normal(2, 3), uniform(2, 3), reduction="batchmean")
loss("kl_div", normal(), uniform(), reduction="batchmean")
for p in [1, 2, 3]:
    loss("pairwise_distance", normal(2, 3), normal(2, 3), p=p, keepdim=p == 3)
loss("local_response_norm", normal(1, 5, 3), 2, second=True)
loss("local_response_norm", normal(1, 5, 2, 2), 7, alpha=0.5, beta=0.6, k=2.0)

x = normal(3, 4)
for name, args, kwargs in [
    ("cross_entropy", [x, tensor([0, 1])], {}),
    ("cross_entropy", [x, tensor([0, 1, 4])], {}),
    ("cross_entropy", [x, tensor([0, 1, -1])], {}),
    ("cross_entropy", [x, tensor([[0, 1, 2]])], {}),
    ("cross_entropy", [x, tensor([0, 1, 2])], {"weight": uniform(3).detach()}),
    ("cross_entropy", [x, tensor([0, 1, 2])], {"weight": uniform(1, 4).detach()}),
    ("cross_entropy", [x, tensor([0, 1, 2])], {"label_smoothing": 1.2}),
    ("cross_entropy", [x, tensor([0, 1, 2])], {"reduction": "average"}),
    ("cross_entropy", [x, uniform(3, 4)], {"ignore_index": 1}),
    ("cross_entropy", [tensor(1.0), tensor(0.5)], {}),
    ("cross_entropy", [x, uniform(3, 5)], {}),
    ("cross_entropy", [normal(4), tensor([1])], {}),
    ("nll_loss", [x, tensor([0, 1])], {}),
    ("nll_loss", [x, tensor([0, 1, 4])], {}),
    ("nll_loss", [tensor(1.0), tensor(0)], {}),
    ("mse_loss", [x, normal(3, 5)], {}),
    ("smooth_l1_loss", [x, x], {"beta": -1}),
    ("huber_loss", [x, x], {"delta": 0}),
    ("binary_cross_entropy", [uniform(3), uniform(4)], {}),
    ("binary_cross_entropy", [tensor([1.5]), uniform(1)], {}),
    ("binary_cross_entropy", [tensor([nan]), uniform(1)], {}),
    ("binary_cross_entropy", [uniform(3), uniform(3)], {"weight": uniform(2).detach()}),
    ("binary_cross_entropy_with_logits", [x, normal(4)], {}),
    ("binary_cross_entropy_with_logits", [x, x], {"weight": uniform(3).detach()}),
    ("binary_cross_entropy_with_logits", [x, x], {"pos_weight": uniform(3).detach()}),
    ("kl_div", [x, x], {"reduction": "average"}),
    ("hinge_embedding_loss", [x, normal(3)], {}),
    ("margin_ranking_loss", [normal(3), normal(3), normal(3, 1)], {}),
    ("multi_margin_loss", [x, tensor([0, 1])], {}),
    ("multi_margin_loss", [x, tensor([0, 1, 4])], {}),
    ("multi_margin_loss", [x, tensor([0, 1, 3])], {"p": 3}),
    ("multilabel_margin_loss", [x, tensor([[0, 1, 2]])], {}),
    ("soft_margin_loss", [x, normal(3)], {}),
    ("gaussian_nll_loss", [x, x, uniform(2)], {}),
    ("gaussian_nll_loss", [x, x, -uniform(3, 4)], {}),
    ("local_response_norm", [x, 2], {}),
]:
    loss(name, *args, **kwargs)

layers = Lines("layers.jsonl.gz")


def layer(*ctor, x, seed=None, name=None, **kwargs):
    kind, *args = ctor
    torch.manual_seed(7)
    module = getattr(nn, kind)(*args, **kwargs)
    if seed is not None:
        torch.manual_seed(seed)
    y = module(x)
    inputs = ([x] if x.requires_grad else []) + list(module.parameters())
    g = short(torch.randn(y.shape))
    gradients = torch.autograd.grad(y, inputs, g)
    layers.write({
        "module": kind, "ctor": [encode(a) for a in args], "seed": seed, "repr": str(module),
        "ctorKw": {key: encode(value) for key, value in kwargs.items()},
        "state": {key: encode(value) for key, value in module.state_dict().items()},
        "x": encode(x), "out": encode(y), "gradOut": encode(g),
        "gradients": [encode(a) for a in gradients],
    })


for mode in ["reflect", "replicate", "circular"]:
    layer("Conv2d", 2, 4, 3, padding=(1, 2), padding_mode=mode, x=normal(1, 2, 4, 5))
    layer("Conv1d", 2, 4, 4, padding="same", padding_mode=mode, groups=2, x=normal(2, 2, 6))
layer("Conv3d", 1, 2, 3, padding=1, padding_mode="circular", bias=False, x=normal(1, 1, 3, 3, 3))
layer("Conv1d", 2, 4, 4, padding="valid", dilation=2, x=normal(2, 8))
layer("Conv2d", 2, 4, (2, 4), padding="same", dilation=(1, 2), x=normal(2, 3, 7))
layer("ConvTranspose1d", 2, 4, 3, stride=3, padding=1, output_padding=2, groups=2, x=normal(2, 2, 4))
layer("ConvTranspose3d", 2, 1, 2, stride=2, dilation=2, bias=False, x=normal(1, 2, 2, 2, 2))
layer("ReflectionPad1d", 2, x=normal(2, 2, 4))
layer("ReflectionPad2d", (1, 2, 0, 1), x=normal(1, 1, 3, 4))
layer("ReplicationPad2d", 2, x=normal(1, 1, 2, 3))
layer("ReplicationPad3d", 1, x=normal(1, 1, 2, 2, 2))
layer("ConstantPad1d", (1, -1), 3.5, x=normal(2, 4))
layer("ZeroPad2d", (1, 2, -1, 0), x=normal(1, 1, 3, 4))
layer("Embedding", 6, 3, padding_idx=-2, x=tensor([[1, 4], [4, 0]]))
layer("LocalResponseNorm", 3, alpha=0.1, k=2.0, x=normal(1, 4, 2))
layer("Flatten", 0, 1, x=normal(2, 2, 2))
layer("Softmin", 1, x=normal(2, 3))
layer("MaxPool2d", 3, stride=2, padding=1, ceil_mode=True, x=normal(1, 1, 6, 6))
layer("AvgPool2d", (2, 3), count_include_pad=False, padding=1, x=normal(1, 1, 4, 5))
layer("AvgPool1d", 2, x=normal(1, 2, 5))
layer("AdaptiveAvgPool3d", (2, None, 1), x=normal(1, 1, 4, 3, 4))
layer("AdaptiveMaxPool3d", 2, x=normal(1, 1, 3, 4, 3))
layer("PReLU", 2, x=normal(3, 2, 2))
layer("GLU", 1, x=normal(2, 4))
layer("Dropout", 0.3, seed=42, x=normal(3, 7))
layer("Dropout", 1.0, seed=42, x=normal(3))
layer("Dropout1d", 0.4, seed=42, x=normal(5, 2))
layer("Dropout2d", 0.4, seed=42, x=normal(3, 5, 2, 1))
layer("Dropout3d", 0.4, seed=42, x=normal(5, 2, 1, 2))
layer("AlphaDropout", 0.4, seed=42, x=normal(5, 6))

losses.file.close()
layers.file.close()
