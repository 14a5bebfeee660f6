#!/bin/sh
# The DICOM JSON that pydicom makes of a big-endian data set holds binary values in the file's byte order. Whoever reads
# the JSON cannot know it: it names no transfer syntax, and the model takes values as Explicit VR Little Endian has them.
# Look-up tables of old ultrasound archives, which are big-endian, come out with their bytes swapped.
set -eu
cd "$(mktemp -d)"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check pydicom==3.0.2
cat > look.py <<'PY'
import base64
import io
import struct

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian

print("pydicom", pydicom.__version__)
VALUES = (1, 2, 300)
read_back = {}
for name, syntax, order in (("little", ExplicitVRLittleEndian, "<"), ("big", ExplicitVRBigEndian, ">")):
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.6.1", "2.25.1"
    dataset.add_new("RedPaletteColorLookupTableData", "OW", struct.pack(f"{order}3H", *VALUES))
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    out = io.BytesIO()
    dataset.save_as(out, enforce_file_format=True)
    element = pydicom.dcmread(io.BytesIO(out.getvalue())).to_json_dict()["00281201"]
    read_back[name] = struct.unpack("<3H", base64.b64decode(element["InlineBinary"]))
    print(f"{name}-endian file, table {VALUES}: InlineBinary {element['InlineBinary']}, read as little-endian {read_back[name]}")
assert read_back["little"] == VALUES
assert read_back["big"] == (256, 512, 11265), "the behaviour changed"
PY
venv/bin/python look.py
