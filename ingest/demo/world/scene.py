"""The MJCF of the table: five toys, a look-alike of each shape, a screen, a pad, a gripper on slides, two cameras.

Frame: origin at the base, x forward, y left, z up, the table's surface at z = 0, metres and radians.
"""

from __future__ import annotations

from ingest.demo.world.toys import TOYS, Toy

CAMERAS = {"base": "varied_camera_1", "wrist": "hand_camera"}
FRAME_HEIGHT, FRAME_WIDTH = 180, 320

OPEN = 0.085  # metres between the finger pads
CONTROL_PERIOD = 0.1  # seconds a control step
_TIMESTEP = 0.0025
SUBSTEPS = round(CONTROL_PERIOD / _TIMESTEP)

WORKSPACE_LOW = (0.31, -0.22, 0.008)
WORKSPACE_HIGH = (0.61, 0.22, 0.25)
SCREEN_HALF_SIZE = (0.005, 0.038, 0.040)
PAD_RADIUS = 0.038  # a disc on the table that is seen and not touched, wider than any toy


def decoy_name(toy: str) -> str:
    """The body that has this toy's shape and takes any colour."""
    return f"decoy_{toy}"


def _toy_body(toy: Toy, name: str, parked: int) -> str:
    red, green, blue = toy.colour
    looks = toy.looks.replace('class="look"', f'class="look" rgba="{red} {green} {blue} 1"')
    return f"""
      <body name="{name}" pos="{3 + 0.2 * parked} 0 0.001">
        <freejoint name="{name}"/>
        <geom class="solid" name="{name}_solid" {toy.collision} mass="{toy.mass}"/>
        {looks}
      </body>"""


def _finger(name: str, side: int) -> str:
    # The joint runs from 0 (closed) to OPEN / 2; the pads meet at the hand's origin, tips at its height.
    return f"""
        <body name="{name}" pos="0 {side * 0.004} 0">
          <joint name="{name}" class="finger" axis="0 {side} 0"/>
          <geom class="pad" size="0.010 0.004 0.036" pos="0 0 0.036"/>
        </body>"""


def mjcf() -> str:
    """The whole model as MJCF text; it holds nothing random, a scene is a choice of poses and colours."""
    toys = "".join(_toy_body(toy, toy.name, index) for index, toy in enumerate(TOYS))
    decoys = "".join(
        _toy_body(toy, decoy_name(toy.name), len(TOYS) + index) for index, toy in enumerate(TOYS)
    )
    screen = " ".join(map(str, SCREEN_HALF_SIZE))
    low, high = WORKSPACE_LOW, WORKSPACE_HIGH
    return f"""
<mujoco model="gazehouse_demo">
  <compiler angle="radian" autolimits="true"/>
  <option timestep="{_TIMESTEP}" integrator="implicitfast" cone="elliptic" impratio="8"/>
  <visual>
    <headlight ambient="0.42 0.42 0.42" diffuse="0.35 0.35 0.35" specular="0 0 0"/>
    <quality shadowsize="0" offsamples="0"/>
    <global offwidth="{FRAME_WIDTH}" offheight="{FRAME_HEIGHT}"/>
    <map znear="0.01"/>
  </visual>
  <default>
    <default class="look"><geom contype="0" conaffinity="0" mass="0" group="1"/></default>
    <default class="trim"><geom contype="0" conaffinity="0" mass="0" group="1"/></default>
    <default class="solid"><geom group="3" condim="4" friction="0.9 0.02 0.0005"/></default>
    <default class="pad">
      <geom type="box" rgba="0.16 0.16 0.18 1" group="1" condim="4" friction="1.3 0.02 0.0005" mass="0.03"/>
    </default>
    <default class="slide"><joint type="slide" damping="20" armature="0.05"/></default>
    <default class="finger"><joint type="slide" range="0 {OPEN / 2}" damping="4" armature="0.01"/></default>
  </default>
  <worldbody>
    <light pos="0.2 -0.4 1.5" dir="0.2 0.3 -1" directional="true" castshadow="false" diffuse="0.45 0.45 0.45" specular="0.1 0.1 0.1"/>
    <geom name="table" type="plane" size="5 5 0.1" rgba="0.52 0.42 0.34 1" friction="0.9 0.02 0.0005" condim="4"/>
    <camera name="varied_camera_1" pos="0.93 -0.20 0.42" xyaxes="0.385 0.923 0 -0.560 0.233 0.795" fovy="27"/>
    {toys}
    {decoys}
    <body name="screen" mocap="true" pos="6 0 0">
      <geom type="box" size="{screen}" pos="0 0 {SCREEN_HALF_SIZE[2]}" rgba="0.45 0.47 0.50 1" group="1"/>
    </body>
    <body name="pad" mocap="true" pos="6 1 0">
      <geom type="cylinder" size="{PAD_RADIUS} 0.001" pos="0 0 0.001" rgba="0.85 0.10 0.75 1" group="1" contype="0" conaffinity="0"/>
    </body>
    <body name="hand" pos="0 0 0" gravcomp="1">
      <joint name="hand_x" class="slide" axis="1 0 0" range="{low[0] - 0.02} {high[0] + 0.02}"/>
      <joint name="hand_y" class="slide" axis="0 1 0" range="{low[1] - 0.02} {high[1] + 0.02}"/>
      <joint name="hand_z" class="slide" axis="0 0 1" range="0.002 {high[2] + 0.02}"/>
      <geom class="pad" name="palm" size="0.014 0.030 0.008" pos="0 0 0.086" mass="0.3"/>
      <camera name="hand_camera" pos="-0.055 0 0.105" xyaxes="0 -1 0 0.940 0 0.342" fovy="62"/>
      {_finger("finger_left", 1)}
      {_finger("finger_right", -1)}
    </body>
  </worldbody>
  <actuator>
    <position name="hand_x" joint="hand_x" kp="3000" dampratio="1"/>
    <position name="hand_y" joint="hand_y" kp="3000" dampratio="1"/>
    <position name="hand_z" joint="hand_z" kp="3000" dampratio="1"/>
    <position name="finger_left" joint="finger_left" kp="400" dampratio="1" forcerange="-6 6"/>
    <position name="finger_right" joint="finger_right" kp="400" dampratio="1" forcerange="-6 6"/>
  </actuator>
</mujoco>"""
