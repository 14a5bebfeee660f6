"""The arithmetic of labelling, without Django: how far readers agree, and how sure that is."""
