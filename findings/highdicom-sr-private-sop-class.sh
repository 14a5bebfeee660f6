#!/bin/sh
# highdicom's SR writer has no region on an image of a private SOP class, though the standard lets a report have one.
# Ultrasound machines do write private classes beside the standard ones. And MeasurementReport says in its signature that
# imaging measurements are optional, then asks for them.
set -eu
cd "$(mktemp -d)"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check highdicom==0.28.2 pydicom==3.0.2
cat > look.py <<'PY'
import highdicom
import numpy as np
from highdicom import sr

print("highdicom", highdicom.__version__)
for name, sop_class in (("ultrasound", "1.2.840.10008.5.1.4.1.1.3.1"), ("private", "1.2.840.113619.4.2")):
    try:
        sr.ImageRegion("POLYLINE", np.array([[1.0, 1.0], [9.0, 9.0]]), sr.SourceImageForRegion(sop_class, "2.25.1", [2]))
        print(name, "accepted")
        accepted = True
    except KeyError as error:
        print(name, "KeyError", error)
        accepted = False
    assert accepted == (name == "ultrasound")

observer = sr.ObserverContext(
    sr.CodedConcept("121006", "DCM", "Person"), sr.PersonObserverIdentifyingAttributes(name="Reader^One")
)
try:
    sr.MeasurementReport(
        observation_context=sr.ObservationContext(observer_person_context=observer),
        procedure_reported=sr.CodedConcept("16310003", "SCT", "Diagnostic ultrasonography"),
    )
    raise SystemExit("a report without measurements was accepted: the behaviour changed")
except TypeError as error:
    print("without measurements:", error)
PY
venv/bin/python look.py
