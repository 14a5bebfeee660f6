"""Phantoms, cross-validation, calibration, operating points and the gate. Heavy libraries load only where they are used."""
