"""A stateful stand-in for PayPal's REST API, for tests and for the demo. The only simulated part of the
house.

It knows orders, captures, refunds, invoices, disputes, trackers, products, plans, subscriptions, transactions
and OAuth tokens, with PayPal's statuses, issues and two error shapes, and honours PayPal-Request-Id and
Prefer. Faults and recorded calls are under ``/_simulator`` (see :mod:`.control`). Checked against PayPal's
OpenAPI files.
"""

from gateway.upstream.paypal.simulator.app import create_simulator
from gateway.upstream.paypal.simulator.paypal import PayPalSimulator
from gateway.upstream.paypal.simulator.serve import serve_simulator

__all__ = ["PayPalSimulator", "create_simulator", "serve_simulator"]
