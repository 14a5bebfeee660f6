"""Phantoms, cross-validation, calibration, operating points, the gate. Heavy libraries load where they are used."""
