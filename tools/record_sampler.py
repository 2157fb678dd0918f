"""Records the indices of PyTorch's DistributedSampler for tests/distributed/data/sampler.json.

    python3 tools/record_sampler.py > tests/distributed/data/sampler.json
"""
import json

from torch.utils.data.distributed import DistributedSampler


def cases():
    for samples in (1, 5, 10, 23, 97):
        for size in (1, 2, 3, 4, 7):
            if samples == 97 and size not in (2, 3):
                continue
            for shuffle in (True, False):
                for drop_last in (False, True):
                    if drop_last and samples < size:
                        continue
                    for seed, epoch in ((0, 0), (0, 3), (12, 1)):
                        if shuffle or (seed, epoch) == (0, 0):
                            yield samples, size, shuffle, drop_last, seed, epoch


def indices(samples, size, rank, shuffle, drop_last, seed, epoch):
    sampler = DistributedSampler(
        range(samples),
        num_replicas=size,
        rank=rank,
        shuffle=shuffle,
        seed=seed,
        drop_last=drop_last,
    )
    sampler.set_epoch(epoch)
    return list(sampler)


recorded = [
    {
        "samples": samples,
        "size": size,
        "shuffle": shuffle,
        "dropLast": drop_last,
        "seed": seed,
        "epoch": epoch,
        "indices": [
            indices(samples, size, rank, shuffle, drop_last, seed, epoch) for rank in range(size)
        ],
    }
    for samples, size, shuffle, drop_last, seed, epoch in cases()
]
print("[\n" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in recorded) + "\n]")
