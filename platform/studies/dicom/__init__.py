"""Reading untrusted DICOM: what runs inside a sandbox worker process. It imports no Django and no sandbox."""
