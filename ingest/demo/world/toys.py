"""The five toys: what they look like, how wide they are between the fingers, and as what the physics sees them."""

from __future__ import annotations

from dataclasses import dataclass

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Toy:
    """One toy, in metres, standing on the table with its frame on the table's surface.

    ``collision`` is the one primitive that touches anything; ``looks`` are the geoms that are drawn. A geom marked
    ``class="trim"`` keeps its own colour, so that a look-alike in another colour stays recognisable by shape.
    """

    name: str
    colour: Colour
    colour_word: str
    collision: str
    looks: str
    grip_width: float  # between the fingers, at yaw 0
    max_yaw: float  # radians; beyond it the toy would not fit between the fingers
    mass: float = 0.05


TOYS: tuple[Toy, ...] = (
    Toy(
        name="duck",
        colour=(0.95, 0.80, 0.08),
        colour_word="yellow",
        collision='type="cylinder" size="0.020 0.021" pos="0 0 0.021"',
        looks="""
          <geom class="look" type="ellipsoid" size="0.029 0.021 0.018" pos="0 0 0.018"/>
          <geom class="look" type="sphere" size="0.0145" pos="0.015 0 0.043"/>
          <geom class="look" type="ellipsoid" size="0.010 0.012 0.006" pos="-0.026 0 0.028"/>
          <geom class="trim" type="ellipsoid" size="0.010 0.007 0.0035" pos="0.031 0 0.041" rgba="0.95 0.35 0.05 1"/>
        """,
        grip_width=0.040,
        max_yaw=3.14,
    ),
    Toy(
        name="banana",
        colour=(0.30, 0.72, 0.20),
        colour_word="green",
        collision='type="box" size="0.034 0.014 0.014" pos="0 0 0.014"',
        looks="""
          <geom class="look" type="capsule" size="0.0125" fromto="-0.014 -0.004 0.013 0.014 -0.004 0.013"/>
          <geom class="look" type="capsule" size="0.0105" fromto="0.014 -0.004 0.013 0.031 0.006 0.014"/>
          <geom class="look" type="capsule" size="0.0105" fromto="-0.014 -0.004 0.013 -0.031 0.006 0.014"/>
          <geom class="trim" type="capsule" size="0.004" fromto="0.034 0.008 0.015 0.043 0.014 0.018" rgba="0.35 0.22 0.1 1"/>
        """,
        grip_width=0.028,
        max_yaw=0.45,
    ),
    Toy(
        name="cat",
        colour=(0.93, 0.93, 0.95),
        colour_word="white",
        collision='type="box" size="0.025 0.017 0.019" pos="0 0 0.019"',
        looks="""
          <geom class="look" type="box" size="0.021 0.014 0.011" pos="-0.004 0 0.022"/>
          <geom class="look" type="sphere" size="0.0155" pos="0.019 0 0.036"/>
          <geom class="look" type="box" size="0.004 0.004 0.007" pos="0.018 0.010 0.050" euler="0.5 0 0"/>
          <geom class="look" type="box" size="0.004 0.004 0.007" pos="0.018 -0.010 0.050" euler="-0.5 0 0"/>
          <geom class="look" type="capsule" size="0.004" fromto="-0.024 0 0.026 -0.033 0 0.050"/>
          <geom class="look" type="box" size="0.004 0.013 0.007" pos="0.011 0 0.007"/>
          <geom class="look" type="box" size="0.004 0.013 0.007" pos="-0.020 0 0.007"/>
          <geom class="trim" type="sphere" size="0.004" pos="0.034 0 0.035" rgba="0.9 0.4 0.5 1"/>
        """,
        grip_width=0.034,
        max_yaw=0.40,
    ),
    Toy(
        name="bottle",
        colour=(0.10, 0.28, 0.85),
        colour_word="blue",
        collision='type="cylinder" size="0.018 0.032" pos="0 0 0.032"',
        looks="""
          <geom class="look" type="cylinder" size="0.018 0.024" pos="0 0 0.024"/>
          <geom class="look" type="ellipsoid" size="0.018 0.018 0.014" pos="0 0 0.048"/>
          <geom class="look" type="cylinder" size="0.007 0.010" pos="0 0 0.064"/>
          <geom class="trim" type="cylinder" size="0.0085 0.005" pos="0 0 0.076" rgba="0.1 0.1 0.1 1"/>
        """,
        grip_width=0.036,
        max_yaw=3.14,
    ),
    Toy(
        name="cube",
        colour=(0.85, 0.10, 0.10),
        colour_word="red",
        collision='type="box" size="0.020 0.020 0.020" pos="0 0 0.020"',
        looks='<geom class="look" type="box" size="0.020 0.020 0.020" pos="0 0 0.020"/>',
        grip_width=0.040,
        max_yaw=0.30,
    ),
)

TOY_NAMES: tuple[str, ...] = tuple(toy.name for toy in TOYS)
TOY_BY_NAME: dict[str, Toy] = {toy.name: toy for toy in TOYS}
