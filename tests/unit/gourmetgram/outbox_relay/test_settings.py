import pytest
from pydantic import ValidationError

from gourmetgram.outbox_relay.settings import RelaySettings

SERVERS: dict[str, object] = {"database_url": "postgresql://nowhere/x", "kafka_bootstrap_servers": "nowhere:9092"}


@pytest.mark.parametrize(("delivery", "silence"), [(10, 20), (15, 30), (10, 5)])
def test_a_lead_is_taken_only_when_the_old_leader_can_send_no_more(delivery: float, silence: int) -> None:
    with pytest.raises(ValidationError, match="twice relay_delivery_seconds"):
        RelaySettings.model_validate(SERVERS | {"relay_delivery_seconds": delivery, "relay_silence_seconds": silence})


def test_a_lead_may_be_taken_right_after() -> None:
    changed = RelaySettings.model_validate(SERVERS | {"relay_delivery_seconds": 1, "relay_silence_seconds": 3})
    assert changed.relay_silence_seconds == 3
