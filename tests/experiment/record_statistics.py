"""Records SciPy's values for tests/experiment/statistics_test.ts.

    python3 tests/experiment/record_statistics.py
"""
import json
import os

import numpy as np
import scipy
from scipy import stats

rng = np.random.default_rng(0)
cases = []
for n, m in [(3, 3), (5, 5), (4, 7), (8, 8), (2, 6), (10, 12)]:
    a = np.round(rng.normal(size=n), 6).tolist()
    b = np.round(rng.normal(0.7, size=m), 6).tolist()
    u = stats.mannwhitneyu(a, b, alternative="two-sided", method="exact")
    cases.append({
        "a": a,
        "b": b,
        "mannWhitney": u.pvalue,
        "improvement": u.statistic / (n * m),
        "iqm": stats.trim_mean(b, 0.25),
        "median": float(np.median(b)),
    })
pairs = []
for n in [3, 5, 6, 8, 11]:
    d = np.round(rng.normal(0.5, size=n), 6)
    test = stats.permutation_test(
        (d,), np.mean, permutation_type="samples", n_resamples=np.inf, alternative="two-sided"
    )
    pairs.append({"differences": d.tolist(), "signFlip": test.pvalue})
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "statistics.json")
with open(path, "w") as file:
    json.dump({"scipy": scipy.__version__, "cases": cases, "pairs": pairs}, file, indent=1)
    file.write("\n")
