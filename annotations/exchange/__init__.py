"""Labels in and out: CSV, JSON, COCO, DICOM SR and SEG. De-identified unless an admin asks otherwise."""
