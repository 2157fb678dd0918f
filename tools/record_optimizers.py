"""Records what PyTorch's optimizers do with options that other recordings lack, for
tests/optim/optimizers_test.ts.

    python3 tools/record_optimizers.py

Needs PyTorch; the file names the version that wrote it. Each case is two groups of parameters in
float64 and eight steps with given gradients, some of them missing, and the state dict at the end.
"""

import json
import pathlib

import torch
from torch import optim

# Without NAdam, which multiplied by the momentum once too often before PyTorch 2.
CASES = [
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.4, "weight_decay": 0.05}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.05, "maximize": True}),
    ("SGD", {"lr": 0.1, "weight_decay": 0.05, "maximize": True}),
    ("Adam", {"lr": 0.1, "betas": [0.7, 0.9], "eps": 1e-3, "weight_decay": 0.1, "amsgrad": True}),
    ("Adam", {"lr": 0.1, "maximize": True}),
    ("AdamW", {"lr": 0.1, "betas": [0.0, 0.9], "maximize": True}),
    ("RMSprop", {"lr": 0.1, "alpha": 0.8, "centered": True, "momentum": 0.7, "weight_decay": 0.1}),
    ("RMSprop", {"lr": 0.1, "momentum": 0.5, "eps": 0.1}),
    ("RMSprop", {"lr": 0.1, "centered": True, "maximize": True}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.3, "initial_accumulator_value": 0.2, "weight_decay": 0.1}),
    ("RAdam", {"lr": 0.1, "betas": [0.7, 0.9], "weight_decay": 0.1}),
    ("RAdam", {"lr": 0.1, "betas": [0.8, 0.5]}),
    ("Adadelta", {"lr": 0.5, "rho": 0.7, "eps": 1e-3, "weight_decay": 0.1, "maximize": True}),
    ("Adamax", {"lr": 0.1, "betas": [0.7, 0.8], "eps": 1e-2, "weight_decay": 0.1}),
    ("ASGD", {"lr": 0.1, "lambd": 0.05, "alpha": 0.5, "t0": 2, "weight_decay": 0.1}),
    ("Rprop", {"lr": 0.1, "etas": [0.4, 1.5], "step_sizes": [0.05, 0.2]}),
]
SHAPES = [[2, 3], [4], []]
SECOND_GROUP = {"lr": 0.03}
# (step, parameter) without a gradient.
MISSING = {(0, 1), (3, 0), (4, 2), (5, 1)}


def plain(value):
    if isinstance(value, torch.Tensor):
        return {"tensor": list(value.shape), "data": value.double().flatten().tolist()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    return value


def record(kind, options):
    params = [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in SHAPES]
    case = {"optim": kind, "options": options, "params": plain([p.detach().clone() for p in params])}
    optimizer = getattr(optim, kind)([{"params": params[:2]}, {"params": params[2:], **SECOND_GROUP}], **options)
    steps = []
    for step in range(8):
        for index, param in enumerate(params):
            param.grad = None if (step, index) in MISSING else torch.randn_like(param)
        grads = plain([p.grad for p in params])
        optimizer.step()
        steps.append({"grads": grads, "after": plain([p.detach() for p in params])})
    return {**case, "steps": steps, "state": plain(optimizer.state_dict())}


def main():
    torch.manual_seed(0)
    path = pathlib.Path(__file__).parent.parent / "tests/optim/data/optimizers.json"
    lines = ",\n".join(json.dumps(record(*case), separators=(",", ":")) for case in CASES)
    path.write_text(
        f'{{"torch":{json.dumps(torch.__version__)},"secondGroup":{json.dumps(SECOND_GROUP)},"cases":[\n{lines}\n]}}\n'
    )
    print(f"{len(CASES)} cases from PyTorch {torch.__version__}")


main()
