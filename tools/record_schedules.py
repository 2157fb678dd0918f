"""Records what PyTorch's learning rate schedules do, for tests/optim/schedules_test.ts.

    python3 tools/record_schedules.py

Needs PyTorch; the file names the version that wrote it. Schedules are described under PyTorch's
names; functions by a name that both sides know.
"""

import json
import pathlib
import warnings

import torch
from torch import optim
from torch.optim import lr_scheduler, swa_utils

warnings.filterwarnings("ignore")

FUNCTIONS = {
    "inverse": lambda epoch: 1 / (1 + epoch),
    "wave": lambda epoch: 1 + (epoch % 7 - 3) / 10,
    "constant": lambda epoch: 0.93,
}
METRICS = [3, 2.5, 2.4, 2.4, 2.3999, 2.5, 2.6, 2.4, 2.0, 2.0, 1.99995, 2.1, 2.2, 2.0, 1.5] + [
    1.5 + (i % 4) / 100 for i in range(35)
]
SGD = {"type": "SGD", "lrs": [0.1, 0.02], "options": {}}
MOMENTUM = {"type": "SGD", "lrs": [0.1, 0.02], "options": {"momentum": 0.9}}
ADAM = {"type": "Adam", "lrs": [0.1, 0.02], "options": {}}


def one(kind, **options):
    return {"type": kind, "options": options}


def sequence(milestones, *parts):
    return {"type": "SequentialLR", "parts": list(parts), "milestones": milestones}


CASES = [
    ("StepLR", SGD, [one("StepLR", step_size=7, gamma=0.5)]),
    ("StepLR, defaults", SGD, [one("StepLR", step_size=20)]),
    ("MultiStepLR", SGD, [one("MultiStepLR", milestones=[5, 9, 9, 30], gamma=0.3)]),
    ("ConstantLR", SGD, [one("ConstantLR", factor=0.2, total_iters=8)]),
    ("ConstantLR, defaults", SGD, [one("ConstantLR")]),
    ("LinearLR", SGD, [one("LinearLR", start_factor=0.25, end_factor=0.8, total_iters=13)]),
    ("LinearLR, defaults", SGD, [one("LinearLR")]),
    ("LinearLR, falling", SGD, [one("LinearLR", start_factor=1.0, end_factor=0.1, total_iters=40)]),
    ("ExponentialLR", SGD, [one("ExponentialLR", gamma=0.9)]),
    ("PolynomialLR", SGD, [one("PolynomialLR", total_iters=20, power=2.0)]),
    ("PolynomialLR, defaults", SGD, [one("PolynomialLR")]),
    ("LambdaLR", SGD, [one("LambdaLR", lr_lambda="inverse")]),
    ("LambdaLR, by group", SGD, [one("LambdaLR", lr_lambda=["wave", "inverse"])]),
    ("MultiplicativeLR", SGD, [one("MultiplicativeLR", lr_lambda="wave")]),
    ("CosineAnnealingLR", SGD, [one("CosineAnnealingLR", T_max=10, eta_min=0.001)]),
    ("CosineAnnealingLR, long", SGD, [one("CosineAnnealingLR", T_max=50)]),
    ("CosineAnnealingLR, T_max 1", SGD, [one("CosineAnnealingLR", T_max=1)]),
    ("CosineAnnealingWarmRestarts", SGD, [one("CosineAnnealingWarmRestarts", T_0=7, eta_min=0.001)]),
    ("CosineAnnealingWarmRestarts, growing", SGD, [one("CosineAnnealingWarmRestarts", T_0=3, T_mult=2)]),
    ("OneCycleLR", MOMENTUM, [one("OneCycleLR", max_lr=0.4, total_steps=50)]),
    ("OneCycleLR, linear", MOMENTUM, [one("OneCycleLR", max_lr=[0.4, 0.2], epochs=10, steps_per_epoch=6, anneal_strategy="linear", pct_start=0.4)]),
    ("OneCycleLR, three phases", ADAM, [one("OneCycleLR", max_lr=0.4, total_steps=51, three_phase=True, div_factor=10.0, final_div_factor=100.0, base_momentum=[0.8, 0.7], max_momentum=0.9)]),
    ("OneCycleLR, no momentum", SGD, [one("OneCycleLR", max_lr=0.4, total_steps=60, cycle_momentum=False)]),
    ("ReduceLROnPlateau", SGD, [one("ReduceLROnPlateau", factor=0.5, patience=2)]),
    ("ReduceLROnPlateau, rising", SGD, [one("ReduceLROnPlateau", mode="max", factor=0.5, patience=3, threshold=0.01, cooldown=4, min_lr=[0.01, 0.001])]),
    ("ReduceLROnPlateau, absolute", SGD, [one("ReduceLROnPlateau", factor=0.2, patience=1, threshold=0.05, threshold_mode="abs", cooldown=2, eps=1e-3)]),
    ("SWALR", SGD, [one("SWALR", swa_lr=0.05)]),
    ("SWALR, linear, beside another", SGD, [one("ExponentialLR", gamma=0.98), one("SWALR", swa_lr=[0.05, 0.3], anneal_epochs=20, anneal_strategy="linear")]),
    ("SWALR at once", SGD, [one("SWALR", swa_lr=0.05, anneal_epochs=0)]),
    ("two at once", SGD, [one("ExponentialLR", gamma=0.95), one("StepLR", step_size=10, gamma=0.5)]),
    ("three at once", SGD, [one("LinearLR", total_iters=10), one("CosineAnnealingLR", T_max=25), one("MultiStepLR", milestones=[30, 40])]),
    ("SequentialLR", SGD, [sequence([5], one("LinearLR", total_iters=5), one("ExponentialLR", gamma=0.9))]),
    ("SequentialLR of three", SGD, [sequence([4, 20], one("ConstantLR", factor=0.1, total_iters=4), one("CosineAnnealingLR", T_max=16), one("StepLR", step_size=3))]),
    ("SequentialLR with restarts", SGD, [sequence([10], one("LinearLR", start_factor=0.01, total_iters=10), one("CosineAnnealingWarmRestarts", T_0=5, T_mult=2))]),
    ("SequentialLR of functions", SGD, [sequence([12], one("MultiplicativeLR", lr_lambda="constant"), one("LambdaLR", lr_lambda="wave"))]),
    ("ChainedScheduler", SGD, [{"type": "ChainedScheduler", "parts": [one("ConstantLR", factor=0.1, total_iters=2), one("ExponentialLR", gamma=0.9)]}]),
]

# Epochs that are jumped to.
JUMPS = [
    ("StepLR, jumping", SGD, one("StepLR", step_size=7, gamma=0.5), [3, 14, 6, 7, None, None, 20]),
    ("MultiStepLR, jumping", SGD, one("MultiStepLR", milestones=[5, 9, 9, 30]), [4, 5, 9, None, 31, 0]),
    ("LinearLR, jumping", SGD, one("LinearLR", total_iters=9), [4, 20, 9, 2, None]),
    ("ConstantLR, jumping", SGD, one("ConstantLR"), [4, 20, 5, 2, None]),
    ("PolynomialLR, jumping", SGD, one("PolynomialLR", total_iters=9, power=1.5), [4, 20, 9, 2, None]),
    ("ExponentialLR, jumping", SGD, one("ExponentialLR", gamma=0.9), [4, 20, 0, None]),
    ("LambdaLR, jumping", SGD, one("LambdaLR", lr_lambda="wave"), [4, 20, 0, None]),
    ("CosineAnnealingLR, jumping", SGD, one("CosineAnnealingLR", T_max=10), [4, 20, 10, None, None]),
    ("CosineAnnealingWarmRestarts, jumping", SGD, one("CosineAnnealingWarmRestarts", T_0=4), [0.5, 3.75, 4, 9.25, None]),
    ("CosineAnnealingWarmRestarts, growing and jumping", SGD, one("CosineAnnealingWarmRestarts", T_0=4, T_mult=3), [0.5, 3.75, 5.5, 15.5, 17, None]),
]


def build(spec, optimizer):
    kind = swa_utils.SWALR if spec["type"] == "SWALR" else getattr(lr_scheduler, spec["type"])
    if "parts" in spec:
        parts = [build(part, optimizer) for part in spec["parts"]]
        if "milestones" in spec:
            return kind(optimizer, parts, spec["milestones"])
        return kind(parts)
    options = dict(spec["options"])
    if "lr_lambda" in options:
        names = options["lr_lambda"]
        options["lr_lambda"] = FUNCTIONS[names] if isinstance(names, str) else [FUNCTIONS[n] for n in names]
    return kind(optimizer, **options)


def make_optimizer(spec):
    groups = [{"params": [torch.zeros(1, requires_grad=True)], "lr": lr} for lr in spec["lrs"]]
    return getattr(optim, spec["type"])(groups, **spec["options"])


def rates(optimizer):
    return [float(group["lr"]) for group in optimizer.param_groups]


def momenta(optimizer):
    return [group["betas"][0] if "betas" in group else group["momentum"] for group in optimizer.param_groups]


def record(name, optimizer_spec, specs, jumps=None):
    optimizer = make_optimizer(optimizer_spec)
    schedulers = [build(spec, optimizer) for spec in specs]
    lrs, moments = [rates(optimizer)], [momenta(optimizer)]
    for epoch in range(50 if jumps is None else len(jumps)):
        optimizer.step()
        for spec, scheduler in zip(specs, schedulers):
            if spec["type"] == "ReduceLROnPlateau":
                scheduler.step(METRICS[epoch])
            elif jumps is not None and jumps[epoch] is not None:
                scheduler.step(jumps[epoch])
            else:
                scheduler.step()
        lrs.append(rates(optimizer))
        moments.append(momenta(optimizer))
    case = {"name": name, "optimizer": optimizer_spec, "schedules": specs, "lrs": lrs}
    if any("OneCycle" in spec["type"] for spec in specs):
        case["momenta"] = moments
    if jumps is not None:
        case["jumps"] = jumps
    return case


def main():
    cases = [record(*case) for case in CASES]
    cases += [record(name, spec, [schedule], jumps) for name, spec, schedule, jumps in JUMPS]
    path = pathlib.Path(__file__).parent.parent / "tests/optim/data/schedules.json"
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    path.write_text(
        f'{{"torch":{json.dumps(torch.__version__)},"metrics":{json.dumps(METRICS)},"cases":[\n{lines}\n]}}\n'
    )
    print(f"{len(cases)} cases from PyTorch {torch.__version__}")


main()
