"""What comes in and goes out, with the contract's rules as pydantic says them."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PrivateAttr, model_validator

Name = Annotated[
    str, Field(min_length=1, max_length=128, pattern=r"^(\P{Cc}*[^\p{Cc}\p{Z}]\P{Cc}*)?$")
]
ProjectId = Annotated[str, Field(pattern="^project_[0-7][0-9a-hjkmnp-tv-z]{25}$")]
WorkflowId = Annotated[str, Field(pattern="^workflow_[0-7][0-9a-hjkmnp-tv-z]{25}$")]
ExtensionId = Annotated[str, Field(pattern="^extension_[0-7][0-9a-hjkmnp-tv-z]{25}$")]
RequestId = Annotated[str, Field(max_length=64, pattern="^[!-~]*$")]
Microseconds = Annotated[int, Field(ge=0, le=315_576_000_000_000)]
DEFAULT_DURATION_US = 5_000_000
DEFAULT_COMPUTE_UNITS = 10


def _unique(names: list[str]) -> list[str]:
    if len(set(names)) < len(names):
        raise ValueError("must hold nothing twice")
    return names


class Step(BaseModel):
    """One step of a workflow."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    command: Annotated[str, Field(min_length=1, max_length=4096)]
    depends_on: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=128)]],
        Field(max_length=64),
        AfterValidator(_unique),
    ] = []
    extension_id: ExtensionId | None = None
    estimated_duration_us: Microseconds = DEFAULT_DURATION_US
    compute_units: Annotated[int, Field(ge=0, le=1_000_000_000)] = DEFAULT_COMPUTE_UNITS


class Spec(BaseModel):
    """What is to be done: a graph of steps that has an end."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    description: Annotated[str, Field(max_length=4096)] = ""
    steps: Annotated[list[Step], Field(min_length=1, max_length=1000)]
    _in_order: list[str] = PrivateAttr()

    @model_validator(mode="after")
    def _sound(self) -> Self:
        needs = {step.name: step.depends_on for step in self.steps}
        if len(needs) < len(self.steps):
            raise ValueError("two steps have the same name")
        for step in self.steps:
            for needed in step.depends_on:
                if needed not in needs or needed == step.name:
                    raise ValueError(f"{step.name} depends on {needed}")
        try:
            self._in_order = list(TopologicalSorter(needs).static_order())
        except CycleError as error:
            raise ValueError(f"the steps depend on each other: {error.args[1]}") from None
        return self

    def critical_path_us(self) -> int:
        """From start to end, where every step starts as soon as it can."""
        steps = {step.name: step for step in self.steps}
        ends: dict[str, int] = {}
        for name in self._in_order:
            began = max((ends[needed] for needed in steps[name].depends_on), default=0)
            ends[name] = began + steps[name].estimated_duration_us
        return max(ends.values())


class CreateWorkflow(BaseModel):
    """Asks for a new workflow."""

    model_config = ConfigDict(extra="forbid")

    project_id: ProjectId
    workflow_id: WorkflowId | None = None
    spec: Spec
    shared: bool = False
    request_id: RequestId = ""


class StoredStep(BaseModel):
    """A step that was judged when it came in."""

    name: str
    command: str
    depends_on: list[str]
    extension_id: str | None
    estimated_duration_us: int
    compute_units: int


class StoredSpec(BaseModel):
    """A spec that was judged when it came in."""

    name: str
    description: str
    steps: list[StoredStep]


class Workflow(BaseModel):
    """A workflow as it is answered."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    project_id: str
    user_id: str
    spec: StoredSpec
    compute_units: int
    estimated_duration_us: int
    shared: bool
    status: int
    create_time: int
    update_time: int


class WorkflowPage(BaseModel):
    """A page of workflows, the newest first."""

    workflows: list[Workflow]
    next: str | None
