"""The MuJoCo table scene in which the demo policy was trained and recorded (extra ``sim``; not needed to run the demo)."""
