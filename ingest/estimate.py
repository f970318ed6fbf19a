"""How many rows and bytes a run will store, counted by the rules by which they are written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ingest.attention.layout import Layout
from ingest.attention.reduce import MEAN_OF_HEADS, map_kinds
from ingest.attention.selection import Selection
from ingest.conditions.base import Condition
from ingest.episodes.base import Episode
from ingest.identity import token_hash_of
from ingest.measure import n_object_metrics
from ingest.policies.base import Policy, Seen
from ingest.study import Study

# Bytes of a stored row on disk, as measured on the demo (parquet, zstd); of maps a patch, which are most of all.
_BYTES = {"inferences": 2000, "attention_masses": 78, "object_metrics": 30, "map_shifts": 64}
_BYTES_OF_A_PATCH = 3.1
_BYTES_OF_A_PICTURE = 14_400  # with label maps, and what tells its tokens, objects and focus
TABLES = ("inferences", "attention_masses", "attention_maps", "object_metrics", "map_shifts")

_MapKey = tuple[str, str, int]  # (pass, rows, query_index)


def first_seen(policy: Policy, episode: Episode) -> Seen | None:
    """The first keyframe that can be read, as the policy sees it; None where there is none."""
    for index in episode.keyframes():
        try:
            return policy.see(episode.observation(index))
        except Exception:  # the run says what is wrong with it
            continue
    return None


@dataclass(frozen=True)
class _Kept:
    """What is kept of one inference with a prompt.

    ``maps`` counts a camera's maps; ``keys`` are its maps that metrics and shifts are of, but for layers and steps:
    ``repeats`` says how many of these a pass has.
    """

    masses: int
    maps: Mapping[str, int]
    keys: Mapping[str, frozenset[_MapKey]]
    repeats: Mapping[str, int]

    def count(self, keys: Iterable[_MapKey]) -> int:
        """Over layers and steps."""
        return sum(self.repeats[name] for name, _, _ in keys)


@dataclass
class Estimate:
    """Adds up what is told to it. Each prompt is prepared once for an instruction, on one keyframe; nothing is run."""

    study: Study
    policy: Policy
    selection: Selection
    rows: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(TABLES, 0)))
    problems: list[str] = field(default_factory=list)  # with prompts
    _n_patches: int = 0
    _n_pictures: int = 0
    _kept: dict[tuple[str, str], _Kept | None] = field(default_factory=dict)
    _seen: tuple[str, Seen | None] | None = None

    @property
    def n_bytes(self) -> int:
        tables = sum(self.rows[table] * size for table, size in _BYTES.items())
        return round(tables + self._n_patches * _BYTES_OF_A_PATCH + self._n_pictures * _BYTES_OF_A_PICTURE)

    def add(
        self,
        episode: Episode,
        condition: Condition,
        prompt: str,
        frames: Sequence[Mapping[str, int]],
        *,
        has_attention: bool,
    ) -> None:
        """A condition on some keyframes of an episode, each as camera -> objects in it."""
        n_noises = len(self.study.noise.seeds)
        self.rows["inferences"] += len(frames) * n_noises
        if not has_attention:
            return
        plain = self._of(episode, episode.instruction)
        kept = self._of(episode, prompt) if condition.changes_prompt else plain
        is_baseline = condition.kind == "baseline"
        if is_baseline:
            self._n_pictures += len(frames) * len(self.policy.geometry.cameras)
        if plain is None or kept is None or (condition.changes_prompt and prompt == episode.instruction):
            return  # nothing can be read, or the job has the baseline's own tokens and is not run
        n = len(frames) * n_noises
        self.rows["attention_masses"] += n * kept.masses
        for camera, n_maps in kept.maps.items():
            self.rows["attention_maps"] += n * n_maps
            self._n_patches += n * n_maps * self.policy.geometry.cameras[camera] ** 2
        for camera, keys in kept.keys.items():
            n_mean = kept.count(key for key in keys if key[1] == "mean")
            a_object = n_object_metrics(kept.count(keys), n_mean, is_baseline=is_baseline)
            self.rows["object_metrics"] += n_noises * a_object * sum(one.get(camera, 0) for one in frames)
            if not is_baseline:
                self.rows["map_shifts"] += n * kept.count(keys & plain.keys.get(camera, frozenset()))

    def _of(self, episode: Episode, prompt: str) -> _Kept | None:
        """None for a prompt whose tokens are the instruction's or that fails, and where no keyframe can be read."""
        key = (episode.instruction, prompt)
        if key not in self._kept:
            if self._seen is None or self._seen[0] != episode.episode_id:
                self._seen = (episode.episode_id, first_seen(self.policy, episode))
            if self._seen[1] is None:
                return None
            self._kept[key] = self._prepared(self._seen[1], episode.instruction, prompt)
        return self._kept[key]

    def _prepared(self, seen: Seen, instruction: str, prompt: str) -> _Kept | None:
        queries = self.study.capture.queries
        try:
            prepared = self.policy.prepare(seen, prompt, queries)
            own = self.policy.prepare(seen, instruction, queries)
            same = token_hash_of(prepared.token_ids) == token_hash_of(own.token_ids)
            if same and prompt != instruction:
                return None
            return kept_of(prepared.layout, self.selection)
        except Exception as error:  # a fault of the model or its adapter: in the run it costs a unit
            self.problems.append(f"the prompt {prompt!r}: {type(error).__name__}: {error}")
            return None


def kept_of(layout: Layout, selection: Selection) -> _Kept:
    """What is stored of one inference with that layout."""
    masses = 0
    maps: Counter[str] = Counter()
    keys: dict[str, set[_MapKey]] = {}
    repeats = {name: len(steps) * len(selection.layers) for name, steps in selection.steps.items()}
    for name, n in repeats.items():
        part = layout.of(name)
        masses += n * len(selection.heads) * len(part.queries)
        for camera in layout.cameras_in(part):
            own = keys.setdefault(camera.name, set())
            for kind in map_kinds(part, selection, rolls_out=selection.rollout and part.rows_are_keys):
                maps[camera.name] += n * len(kind.query_indices)
                if kind.head == MEAN_OF_HEADS:
                    own |= {(name, kind.rows, query) for query in kind.query_indices}
    return _Kept(masses, maps, {camera: frozenset(own) for camera, own in keys.items()}, repeats)
