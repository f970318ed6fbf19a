"""Maps of two cameras over one plane, against ray casting by hand and a table whose attention is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from measures.cameras import camera_of, on_plane, project
from measures.cross_camera import NO_VARIANCE, TOO_FEW, PatchView, agreement, carry

FOCAL = 160.0
MATRIX = np.array([[FOCAL, 0, 160], [0, FOCAL, 90], [0, 0, 1]])


def looking_down(x: float, y: float, z: float) -> np.ndarray:
    """x of the picture along x of the table, y of the picture against y of the table."""
    return np.array([x, y, z, math.pi, 0, 0])


def view(extrinsic: np.ndarray, grid: int = 16) -> PatchView:
    """A 180 x 320 picture in the middle of a square of patches: bars of 70 pixels above and below."""
    return PatchView(
        camera_of(extrinsic, MATRIX), grid, left=0, top=-70, right=320, bottom=250, width=320, height=180
    )


def test_a_point_seen_straight_down_is_where_a_ruler_puts_it() -> None:
    camera = camera_of(looking_down(0.5, 0.1, 0.4), MATRIX)
    # 0.2 m to the right and 0.1 m up, 0.4 m away: 160 * 0.2 / 0.4 = 80 and 40 pixels from the middle.
    assert project(camera, np.array([[0.7, 0.2, 0.0]])) == pytest.approx(np.array([[240.0, 50.0]]))
    assert on_plane(camera, np.array([[240.0, 50.0]]), 0.0) == pytest.approx(np.array([[0.7, 0.2, 0.0]]))
    # The same ray meets a plane half-way up at half the distance.
    assert on_plane(camera, np.array([[240.0, 50.0]]), 0.2) == pytest.approx(np.array([[0.6, 0.15, 0.2]]))


def test_euler_angles_turn_about_the_axes_of_the_base() -> None:
    """Extrinsic xyz: first about x, then y, then z, each multiplied from the left."""
    a, b, c = 0.3, -0.4, 1.1
    about_x = np.array([[1, 0, 0], [0, math.cos(a), -math.sin(a)], [0, math.sin(a), math.cos(a)]])
    about_y = np.array([[math.cos(b), 0, math.sin(b)], [0, 1, 0], [-math.sin(b), 0, math.cos(b)]])
    about_z = np.array([[math.cos(c), -math.sin(c), 0], [math.sin(c), math.cos(c), 0], [0, 0, 1]])
    camera = camera_of(np.array([0, 0, 0, a, b, c]), MATRIX)
    assert camera.rotation == pytest.approx(about_z @ about_y @ about_x)


def test_what_no_ray_reaches_is_undefined() -> None:
    level = camera_of(
        np.array([0, 0, 0.4, -math.pi / 2, 0, 0]), MATRIX
    )  # along y, the horizon in the middle row
    points = on_plane(level, np.array([[160.0, 89.0], [160.0, 90.0], [160.0, 91.0]]), 0.0)
    assert np.isnan(points[:2]).all()
    assert points[2] == pytest.approx([0.0, 0.4 * FOCAL, 0.0])
    assert np.isnan(project(level, np.array([[0.0, -1.0, 0.0]]))).all()


def test_a_view_carried_into_itself_stays() -> None:
    one = view(np.array([0.93, -0.2, 0.42, -2.2225, 0, 1.1756]))
    carried = carry(one, one, 0.0)
    assert carried.matrix == pytest.approx(np.diag((carried.source > 0).astype(float)))
    # 180 of 320 rows are picture: 9 of 16 rows of patches, of which the outer two are picture by half.
    assert carried.picture.reshape(16, 16)[:, 3].tolist() == [0, 0, 0, 0.5, *[1] * 8, 0.5, 0, 0, 0]
    assert carried.shared == pytest.approx(carried.picture)
    rng = np.random.default_rng(0)
    maps = rng.random((3, 256)) * carried.picture
    maps /= maps.sum(axis=1, keepdims=True)
    found = agreement(maps, maps, carried)
    assert found.correlation == pytest.approx(1)
    assert [*found.mass_share, *found.other_mass_share] == pytest.approx([1] * 6)
    assert found.n_patches == 160


def test_a_camera_moved_by_whole_patches_shifts_the_map_by_them() -> None:
    # A patch is 20 pixels, so 0.05 m of the table at 0.4 m: 0.15 m are three patches.
    here, there = view(looking_down(0.5, 0, 0.4)), view(looking_down(0.65, 0, 0.4))
    carried = carry(there, here, 0.0)
    rng = np.random.default_rng(1)
    own = np.zeros((16, 16))
    own[4:12] = rng.random((8, 16))
    other = np.zeros((16, 16))
    other[:, :13] = own[:, 3:]
    found = agreement(own.reshape(1, -1) / own.sum(), other.reshape(1, -1) / other.sum(), carried)
    assert found.n_patches == 13 * 10
    assert found.correlation == pytest.approx(1)
    assert found.mass_share == pytest.approx(own[:, 3:].sum() / own.sum())
    assert found.other_mass_share == pytest.approx(1)
    unrelated = agreement(own.reshape(1, -1), rng.random((1, 256)), carried)
    assert abs(unrelated.correlation[0]) < 0.3


def table_attention(points: np.ndarray) -> np.ndarray:
    """Two places of the table that a policy looks at: density at points [N, 3]."""
    spots = [((0.45, 0.05), 0.05, 1.0), ((0.55, -0.1), 0.04, 0.7)]
    return sum(
        weight * np.exp(-((points[:, 0] - x) ** 2 + (points[:, 1] - y) ** 2) / (2 * size**2))
        for (x, y), size, weight in spots
    )


def map_of(one: PatchView, raster: int = 24) -> np.ndarray:
    """[1, patches] what a camera's map is when each pixel has the attention of the place of the table it shows."""
    at = (np.arange(one.grid * raster) + 0.5) / raster
    x = one.left + at / one.grid * (one.right - one.left)
    y = one.top + at / one.grid * (one.bottom - one.top)
    across, down = np.meshgrid(x, y)
    points = on_plane(one.camera, np.column_stack([across.ravel(), down.ravel()]), 0.0)
    values = np.nan_to_num(table_attention(points)).reshape(across.shape)
    values[(down < 0) | (down >= one.height)] = 0
    patches = values.reshape(one.grid, raster, one.grid, raster).mean(axis=(1, 3)).reshape(1, -1)
    return patches / patches.sum()


def test_two_cameras_that_look_at_the_same_places_agree_and_others_do_not() -> None:
    base = view(np.array([0.93, -0.2, 0.42, -2.22252852, 0, 1.17562062]))
    wrist = view(np.array([0.48, 0.0, 0.35, -2.79265083, 0, -1.57079633]))
    carried = carry(wrist, base, 0.0)
    same = agreement(map_of(base), map_of(wrist), carried)
    assert same.correlation[0] > 0.95
    turned = map_of(wrist).reshape(16, 16)[:, ::-1].reshape(1, -1)
    assert agreement(map_of(base), turned, carried).correlation[0] < same.correlation[0] - 0.3
    # The wrong height lays the patches beside their places.
    assert (
        agreement(map_of(base), map_of(wrist), carry(wrist, base, 0.15)).correlation[0]
        < same.correlation[0] - 0.1
    )


def test_how_the_cameras_stand_makes_no_correlation() -> None:
    """An even map carries nothing, however oblique the view: its density is one everywhere."""
    base = view(np.array([0.93, -0.2, 0.42, -2.22252852, 0, 1.17562062]))
    wrist = view(np.array([0.48, 0.0, 0.35, -2.79265083, 0, -1.57079633]))
    carried = carry(wrist, base, 0.0)
    even = (carried.source / carried.source.sum())[None]
    rng = np.random.default_rng(2)
    r = [agreement(rng.random((1, 256)), even * (1 + 1e-6 * rng.random((1, 256))), carried).correlation[0] for _ in range(40)]  # fmt: skip
    assert abs(np.mean(r)) < 3 * np.std(r, ddof=1) / math.sqrt(40)


def test_what_has_no_answer_has_a_reason() -> None:
    here = view(looking_down(0.5, 0, 0.4))
    carried = carry(here, here, 0.0)
    flat = np.stack([np.zeros(256), carried.picture, np.full(256, np.nan)])
    maps = np.random.default_rng(3).random((3, 256)) * carried.picture
    found = agreement(flat, maps, carried)
    assert np.isnan(found.correlation).all()
    assert found.reason == [NO_VARIANCE] * 3
    far = carry(view(looking_down(5, 0, 0.4)), here, 0.0)
    nothing = agreement(maps, maps, far)
    assert (nothing.n_patches, nothing.reason) == (0, [TOO_FEW] * 3)
    assert np.isnan(nothing.correlation).all()
    assert nothing.other_mass_share.tolist() == [0, 0, 0]
