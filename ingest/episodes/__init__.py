"""Where observations come from: recordings (DROID, LeRobot) and live rollouts, behind one protocol."""
