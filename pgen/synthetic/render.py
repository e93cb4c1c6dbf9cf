"""Pictures of synthetic people, with their exact parsing map and pose."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pgen.body.joints import HEAD_JOINTS, TORSO_JOINTS, Joint
from pgen.body.labels import Label
from pgen.errors import InputError
from pgen.synthetic import Array, Indices
from pgen.synthetic.background import Background, Light, paint_background, sample_background, sample_light
from pgen.synthetic.body import load_body, skin_vertices
from pgen.synthetic.body_pose import BodyPose, sample_body_pose
from pgen.synthetic.camera import STYLES, Camera, Framing, find_columns, place_camera, sample_framing
from pgen.synthetic.garments import measure_bottom, measure_shoes, measure_top
from pgen.synthetic.hair import measure_hairline
from pgen.synthetic.materials import paint_materials
from pgen.synthetic.person import Person
from pgen.synthetic.person_mesh import Layer, PersonMesh, build_person_mesh
from pgen.synthetic.poses import solve_pose
from pgen.synthetic.raster import Fragments, choose_nearest, rasterize
from pgen.synthetic.regions import ARM, X, Z
from pgen.synthetic.surfaces import compute_vertex_normals

#: Samples a pixel and direction.
_SAMPLES = 2

#: By how much each `Layer` is drawn nearer than it is (metres), so that skin does not pierce clothes; and its shine.
_LIFT = np.array([0.0, 0.0, 0.003, 0.007, 0.012, 0.006], dtype=np.float32)
_SHINE = np.array([0.05, 0.25, 0.15, 0.0, 0.0, 0.12], dtype=np.float32)


@dataclass(frozen=True)
class Shot:
    """How a person is photographed."""

    body_pose: BodyPose
    framing: Framing
    background: Background
    light: Light
    seed: int  # of grain and of which hidden joints are missing


@dataclass(frozen=True)
class Rendering:
    """A picture. ``image`` uint8 (H, W, 3) RGB; ``parsing`` uint8 (H, W) of ``Label``; ``pose`` float32 (18, 2).

    Joints are (x, y) in pixels with pixel centers at integer coordinates, NaN where missing.
    """

    image: NDArray[np.uint8]
    parsing: NDArray[np.uint8]
    pose: NDArray[np.float32]
    attributes: dict[str, str]


def sample_shot(rng: np.random.Generator, style: str = "fashion") -> Shot:
    """A shot in a style: "fashion" (studio, half bodies most often), "market" (street, whole figures) or "mixed".

    Raises `InputError` if there is no such style.
    """
    if style not in STYLES:
        raise InputError(f"style {style!r} is unknown; choose one of {', '.join(STYLES)}")
    if style == "mixed":
        style = "fashion" if rng.random() < 0.65 else "market"
    return Shot(
        body_pose=sample_body_pose(rng),
        framing=sample_framing(rng, style),
        background=sample_background(rng, style),
        light=sample_light(rng, style),
        seed=int(rng.integers(1 << 31)),
    )


def render(person: Person, shot: Shot, size: tuple[int, int] = (256, 256)) -> Rendering:
    """Photograph a person. ``size`` is (height, width), at least 16 each."""
    if min(size) < 16:
        raise InputError(f"size {size[0]}x{size[1]} is too small to show a person; use at least 16x16")
    body, mesh = load_body(), build_person_mesh(person)
    transforms = solve_pose(body, mesh, shot.body_pose)
    vertices = skin_vertices(mesh.rest, mesh.skinning, transforms)
    joints = skin_vertices(mesh.joints, mesh.joint_weights, transforms)
    head = (mesh.points[:, Z] > 0.72) & (mesh.points[:, ARM] < 0.5)
    camera = place_camera(shot.framing, vertices, head, joints, size)
    large = (size[0] * _SAMPLES, size[1] * _SAMPLES)
    spots, depth = camera.project(vertices)
    spots = (spots + 0.5) * _SAMPLES - 0.5

    fragments = rasterize(spots.astype(np.float32), mesh.faces, large, mesh.two_sided)
    fragments = _trim_garments(person, mesh, fragments)
    lift = _LIFT.copy()
    if mesh.top.tucked:
        lift[Layer.BOTTOM], lift[Layer.TOP] = 0.02, 0.004
    fragment_depth = fragments.interpolate(depth, mesh.faces)
    chosen = choose_nearest(fragments, fragment_depth - lift[mesh.layers[fragments.face]], large[0] * large[1])
    visible, visible_depth = fragments[chosen], fragment_depth[chosen]
    layers = mesh.layers[visible.face]
    points = visible.interpolate(mesh.points, mesh.faces)

    labels, distances = np.zeros(large, dtype=np.uint8), np.full(large, np.inf, dtype=np.float32)
    front = np.full(large, -1, dtype=np.int8)
    labels.flat[visible.pixel] = _label_points(person, layers, points)
    distances.flat[visible.pixel] = visible_depth
    front.flat[visible.pixel] = layers

    colors = paint_materials(person, layers, points, visible.interpolate(mesh.extra, mesh.faces))
    colors = colors * _shade(mesh, vertices, visible, layers, shot.light)
    image = _develop(shot, camera, size, visible.pixel, colors, distances, joints)
    parsing = _vote_by_majority(labels)
    filled = find_columns(size, shot.framing.bordered)
    for border in (slice(0, filled[0]), slice(filled[1], None)):
        image[:, border], parsing[:, border] = 255, Label.BACKGROUND
    pose = _find_joints(shot, camera, joints, distances, front, filled)
    return Rendering(image, parsing, pose, person.attributes)


def _trim_garments(person: Person, mesh: PersonMesh, fragments: Fragments) -> Fragments:
    """Cut garments at their edges."""
    near_edge = np.flatnonzero(mesh.cut[fragments.face])
    edge = fragments[near_edge]
    layers = mesh.layers[edge.face]
    points = edge.interpolate(mesh.points, mesh.faces)
    kept = np.ones(len(fragments.face), dtype=bool)
    for layer, measure in (
        (Layer.TOP, partial(measure_top, mesh.top)),
        (Layer.BOTTOM, partial(measure_bottom, person.bottom)),
        (Layer.SHOES, partial(measure_shoes, person.shoes)),
    ):
        chosen = layers == layer
        kept[near_edge[chosen]] = measure(points[chosen]) > 0
    return fragments[kept]


def _label_points(person: Person, layers: Indices, points: Array) -> NDArray[np.uint8]:
    """Parsing labels (N,). Bare necks and chests count as face, midriffs as upper clothes, shoes as legs."""
    x, height = points[:, X], points[:, Z]
    arms, legs = np.where(x > 0, Label.L_ARM, Label.R_ARM), np.where(x > 0, Label.L_LEG, Label.R_LEG)
    shoulder = (points[:, ARM] > 0.5) | ((np.abs(x) > 0.118) & (height > 0.5) & (height < 0.72))
    head = np.where(measure_hairline(points, person.hair.fringe) > 0, Label.HAIR, Label.FACE)
    heights = height > 0.72, height > 0.5, height > 0.12
    skin = np.select([shoulder, *heights], [arms, head, Label.FACE, Label.UPPER], legs)
    lower = Label.SKIRT if person.bottom.kind == "skirt" else Label.PANTS
    return np.choose(layers, [skin, Label.FACE, legs, lower, Label.UPPER, Label.HAIR]).astype(np.uint8)


def _shade(mesh: PersonMesh, vertices: Array, visible: Fragments, layers: Indices, light: Light) -> NDArray[np.float32]:
    """Brightness (N, 3) of visible points."""
    normals = visible.interpolate(compute_vertex_normals(vertices, mesh.faces), mesh.faces)
    normals /= np.sqrt(np.einsum("ij,ij->i", normals, normals))[:, None] + 1e-9
    inner = normals[:, 1] > 0.25  # the inside of a sleeve or a hem
    lamp = normals @ np.asarray(light.towards, dtype=np.float32)
    # Light wraps a little around, as from a large soft box; the sky is brighter than the floor.
    diffuse = np.clip((lamp + 0.25) / 1.25, 0, None)
    even = 0.9 + 0.1 * normals[:, 2] - 0.1 * np.clip(normals[:, 1] + 0.55, 0, None)
    bright = light.lamp * 1.25 * diffuse + light.even * even
    bright += _SHINE[layers] * np.clip(lamp, 0, 1) ** 8
    bright[inner] *= 0.6
    tint = np.array([1 + light.warmth, 1.0, 1 - light.warmth], dtype=np.float32)
    return np.asarray(bright[:, None] * tint, dtype=np.float32)


def _develop(
    shot: Shot, camera: Camera, size: tuple[int, int], pixels: Indices, colors: Array, distances: Array, joints: Array
) -> NDArray[np.uint8]:
    """Average the samples over the background."""
    height, width = size
    ankles, _ = camera.project(joints[[Joint.L_ANKLE, Joint.R_ANKLE]])
    floor = float(ankles[:, 1].mean() + 0.06 * camera.scale)
    feet = (float(ankles[:, 0].mean()), floor, 0.35 * camera.scale) if floor < 1.2 * height else None
    scene = paint_background(shot.background, size, feet)

    samples = np.zeros((distances.size, 4), dtype=np.float32)
    samples[pixels, :3] = np.clip(colors, 0, 255)
    samples[pixels, 3] = 1
    mean = samples.reshape(height, _SAMPLES, width, _SAMPLES, 4).mean(axis=(1, 3))
    person = mean[..., :3] * _darken_contacts(distances[::_SAMPLES, ::_SAMPLES])[..., None]
    image = person + scene * (1 - mean[..., 3:])
    rng = np.random.default_rng(shot.seed)
    image += rng.normal(0, 1.2, (height, width, 1)).astype(np.float32)
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


def _darken_contacts(distances: Array) -> NDArray[np.float32]:
    """Darkening (H, W), 0-1, of points that have something a little nearer beside them: arms over the trunk, hems."""
    reach = max(1, round(distances.shape[0] / 100))
    dark = np.zeros(distances.shape, dtype=np.float32)
    near = np.where(np.isfinite(distances), distances, 1e3).astype(np.float32)
    for shift in product((-reach, 0, reach), repeat=2):
        gap = near - np.roll(near, shift, (0, 1))
        dark += (gap > 0.015) & (gap < 0.4)
    soft = ndimage.uniform_filter(dark, 2 * reach + 1)
    return np.asarray(1 - 0.045 * soft, dtype=np.float32)


def _vote_by_majority(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The most frequent of each 2x2 samples."""
    a, b, c, d = labels[::2, ::2], labels[::2, 1::2], labels[1::2, ::2], labels[1::2, 1::2]
    return np.where((b == c) | (b == d), b, np.where(c == d, c, a))


def _find_joints(
    shot: Shot, camera: Camera, joints: Array, distances: Array, front: Indices, filled: tuple[int, int]
) -> NDArray[np.float32]:
    """Joints in the picture; those that OpenPose would not find are missing."""
    pose, depth = camera.project(joints)
    pose[Joint.NECK] = (pose[Joint.L_SHOULDER] + pose[Joint.R_SHOULDER]) / 2
    rng = np.random.default_rng([shot.seed, 1])
    unlucky = rng.random(len(pose)) < 0.4
    low, high = (filled[0], 0), (filled[1] - 1, len(distances) // _SAMPLES - 1)
    inside = (pose >= low) & (pose <= high)
    found = inside[:, 0] & inside[:, 1]
    for joint in {*np.flatnonzero(found)} - {Joint.NECK, *TORSO_JOINTS}:
        column, row = (np.rint((pose[joint] + 0.5) * _SAMPLES - 0.5)).astype(int)
        behind = depth[joint] - distances[row, column]
        if joint in HEAD_JOINTS:
            reach = 0.05 if joint in (Joint.L_EAR, Joint.R_EAR) else 0.03
            found[joint] = behind < reach + 0.05 * (front[row, column] == Layer.HAIR)
        elif behind > 0.11:
            found[joint] = not unlucky[joint]
    pose[~found] = np.nan
    return pose.astype(np.float32)
