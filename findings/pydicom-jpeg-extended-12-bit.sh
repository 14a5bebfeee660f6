#!/bin/sh
# JPEG Extended with 12 bits, the lossy syntax of deep greys: pydicom's gdcm plugin refuses it by a rule of its own, while
# the same python-gdcm decodes the same file when it is asked directly. Whoever installs gdcm for it still gets no picture.
set -eu
cd "$(mktemp -d)"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check pydicom==3.0.2 python-gdcm==3.2.6 numpy==2.3.5
cat > look.py <<'PY'
import gdcm
import numpy as np
import pydicom
from pydicom.data import get_testdata_file

path = get_testdata_file("JPEG-lossy.dcm")
dataset = pydicom.dcmread(path)
print("pydicom", pydicom.__version__, "gdcm", gdcm.Version.GetVersion())
print(dataset.file_meta.TransferSyntaxUID.name, "bits stored", dataset.BitsStored)
try:
    dataset.pixel_array
    raise SystemExit("pydicom decoded it: the behaviour changed")
except Exception as error:
    print("pydicom:", " ".join(str(error).split()))
reader = gdcm.ImageReader()
reader.SetFileName(str(path))
assert reader.Read()
buffer = reader.GetImage().GetBuffer().encode("utf-8", errors="surrogateescape")
pixels = np.frombuffer(buffer, np.uint16).reshape(dataset.Rows, dataset.Columns)
print("gdcm:", pixels.shape, "from", pixels.min(), "to", pixels.max())
assert pixels.max() > 255
PY
venv/bin/python look.py
