"""Records small files of the kinds that people have, for tests that need no Python.

    python3 tests/io/data/record.py

PyTorch 1.13 and NumPy 1.24 wrote the files beside this script. Every file of weights holds those of
weights.npz.
"""
import argparse
import collections
import datetime
import os
import pathlib
import pickle
import zipfile

import numpy as np
import torch

torch.set_default_dtype(torch.float64)
torch.manual_seed(0)
folder = os.path.dirname(os.path.abspath(__file__))


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.body = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.ReLU())
        self.head = torch.nn.Linear(4, 2)
        self.register_buffer("scratch", torch.zeros(2), persistent=False)

    def forward(self, x):
        return self.head(self.body(x))


def path(name):
    return os.path.join(folder, name)


net = Net()
net(torch.randn(8, 3))
state = net.state_dict()
np.savez(path("weights.npz"), **{name: value.numpy() for name, value in state.items()})

optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1.0, total_steps=10)
counts = collections.defaultdict(list)
counts["a"].append(1)
torch.save(
    {
        "args": argparse.Namespace(lr=0.1),
        "model": state,
        "when": datetime.datetime(2020, 1, 2),
        "path": pathlib.PurePosixPath("data"),
        "counts": counts,
        "fn": Net,
        "cycle": cycle.state_dict(),
        "f8": np.float64(2.5),
        "i8": np.int64(7),
        "array": np.arange(6, dtype=">f4").reshape(2, 3),
        "words": np.array(["a", "bc"]),
    },
    path("foreign.pt"),
)
torch.save(net, path("whole.pt"))


def without_source(*_):
    raise OSError("the source of the classes is left out")


torch.serialization.get_source_lines_and_file = without_source
torch.save(net, path("whole_old.pt"), _use_new_zipfile_serialization=False)
torch.jit.trace(net.eval(), torch.randn(2, 3)).save(path("script.pt"))
with open(path("plain.pkl"), "wb") as file:
    pickle.dump(state, file)
with open(path("numpy.pkl"), "wb") as file:
    pickle.dump({name: value.numpy() for name, value in state.items()}, file)
torch.save(state, path("stored.pt"))
with zipfile.ZipFile(path("stored.pt")) as stored, zipfile.ZipFile(
    path("deflated.pt"), "w", zipfile.ZIP_DEFLATED
) as deflated:
    for name in stored.namelist():
        deflated.writestr(name, stored.read(name))
os.remove(path("stored.pt"))
np.savez(
    path("mixed.npz"),
    x=np.arange(3.0),
    seed=np.array([2**53 + 1]),
    names=np.array(["a", "b"]),
    objects=np.array([{}, []], dtype=object),
)
