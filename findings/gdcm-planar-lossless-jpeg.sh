#!/bin/sh
# Lossless JPEG in colour under Planar Configuration 1, as some archives of ultrasound write it: the order of the colours
# stands in the JPEG stream, and the header's word is of uncompressed pixels. pydicom's gdcm plugin goes by the header and
# mixes the colours of neighbouring pixels, without a warning.
set -eu
cd "$(mktemp -d)"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check pydicom==3.0.2 python-gdcm==3.2.6 imagecodecs==2026.3.6 numpy==2.4.6
cat > look.py <<'PY'
import io

import gdcm
import imagecodecs
import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels import pixel_array
from pydicom.uid import JPEGLosslessSV1

print("pydicom", pydicom.__version__, "gdcm", gdcm.Version.GetVersion())
picture = np.zeros((16, 24, 3), np.uint8)
picture[:] = (200, 100, 20)
picture[:, 12:] = (10, 60, 220)
options = {"lossless": True, "predictor": 1, "colorspace": "RGB", "outcolorspace": "RGB"}
stream = bytes(imagecodecs.jpeg8_encode(picture, **options))
same = {}
for planar in (0, 1):
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.6.1", "2.25.1"
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = 16, 24, 3
    dataset.PhotometricInterpretation, dataset.PlanarConfiguration = "RGB", planar
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation = 7, 0
    dataset.PixelData = encapsulate([stream])
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = JPEGLosslessSV1
    out = io.BytesIO()
    dataset.save_as(out, enforce_file_format=True)
    decoded = pixel_array(pydicom.dcmread(io.BytesIO(out.getvalue())), decoding_plugin="gdcm", raw=True)
    same[planar] = np.array_equal(decoded, picture)
    print(f"Planar Configuration {planar}: equal to the source: {same[planar]}, first pixels {decoded[0, :2].tolist()}")
assert same == {0: True, 1: False}, "the behaviour changed"
PY
venv/bin/python look.py
