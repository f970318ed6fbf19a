"""Where observations come from: recordings in the DROID layout, behind a protocol that others can satisfy."""
