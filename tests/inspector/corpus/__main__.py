"""Prints how the checks do on the corpus, and what they miss."""

from __future__ import annotations

from gateway.inspector.finding import Severity
from tests.inspector.corpus import findings_of, rates, samples

everything = samples()
for part in ("pairs", "holdout", "all"):
    chosen = [one for one in everything if part in (one.part, "all")]
    for least in (Severity.HIGH, Severity.MEDIUM):
        seen = rates(chosen, least=least)
        print(
            f"{part:8} {least:6}  poisoned found {seen.caught}/{seen.poisoned} ({seen.true_positives:.1%})"
            f"  harmless accused {seen.alarmed}/{seen.benign} ({seen.false_positives:.1%})"
        )
for one in everything:
    loud = [finding for finding in findings_of(one) if finding.severity is not Severity.LOW]
    if bool(loud) is not one.poisoned:
        codes = ", ".join(f"{finding.code} {finding.severity}" for finding in loud)
        print(
            f"{'missed' if one.poisoned else 'accused'}  {one.part}  {one.wire['name']}  {one.technique}  {codes}"
        )
