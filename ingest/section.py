"""The base of every section of the study."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A part of the study: frozen, and without room for keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)
