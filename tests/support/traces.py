"""What calls leave behind: what reached PayPal, and the audit records that closed them."""

from __future__ import annotations

from typing import Any

from gateway.upstream.paypal.simulator.exchange import RecordedCall
from tests.support.house import WRITES, House


class Trace:
    """Everything since it was made."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._paypal = house.paypal_calls
        self._records = len(self.closed(house))

    @property
    def paypal(self) -> list[RecordedCall]:
        """What reached PayPal's API, in order."""
        return self._house.paypal_seen[self._paypal :]

    @property
    def writes(self) -> list[RecordedCall]:
        """What of it could have changed something."""
        return [call for call in self.paypal if call.method in WRITES]

    @property
    def records(self) -> list[dict[str, Any]]:
        """The audit records that say how a call ended, in order."""
        return self.closed(self._house)[self._records :]

    @property
    def record(self) -> dict[str, Any]:
        """The one record: there must be exactly one."""
        (record,) = self.records
        return record

    def refused_unseen(self, *codes: str) -> None:
        """One call was refused or failed for one of these codes, PayPal saw nothing of it, one record tells."""
        assert self.paypal == []
        assert self.record["status"] in ("refused", "failed"), self.record
        assert {self.record["error"], *self.record["reasons"]} & set(codes), self.record

    @staticmethod
    def closed(house: House) -> list[dict[str, Any]]:
        """All records of the house that say how a call ended."""
        return [one for one in house.records() if one["status"] != "opened"]
