"""What runs inside a disposable child process: it alone reads untrusted DICOM, and it imports no Django."""
