"""Writes scikit-learn's copy of the UCI optical digits as two gzipped IDX files beside this script.

Needs scikit-learn. The files in the repository were written once with scikit-learn 1.9.1.
"""

import gzip
import pathlib
import struct

from sklearn.datasets import load_digits

here = pathlib.Path(__file__).parent
digits = load_digits()
images = digits.images.astype("uint8")
assert (images == digits.images).all() and images.max() == 16
for name, array in [("images-idx3-ubyte.gz", images), ("labels-idx1-ubyte.gz", digits.target.astype("uint8"))]:
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    (here / name).write_bytes(gzip.compress(header + array.tobytes(), 9, mtime=0))
