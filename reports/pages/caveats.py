"""What no page may leave unsaid: attention is not a cause, and what a policy was taught to attend to."""

from __future__ import annotations

from reports.marts.context import Context

NOT_A_CAUSE = "Attention is not a cause: these numbers say where a map rests, not that the actions depend on what lies there."


def taught(ctx: Context) -> list[str]:
    """The bundled policies were trained for the very link that the pages on words measure."""
    if ctx.study.run["model_family"] != "tiny":
        return []
    return [
        "This bundled policy was trained with auxiliary losses that tie the toy's word to its place in the picture: the very "
        "link that the words' attention shows. What they were stands in the model card beside its weights."
    ]
