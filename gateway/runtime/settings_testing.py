"""
Settings that only a data folder marked for tests or a demo obeys.
"""

from pydantic import BaseModel, ConfigDict, Field


class RehearsalSettings(BaseModel):
    """
    For tests; refused unless the data folder is marked as one for tests or a demo.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    fault_points: bool = Field(
        default=False,
        description="Obey orders to strike at named places of the money path.",
    )
