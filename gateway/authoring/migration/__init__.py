"""From a server without ETDI to one with it: what is there, a plan, and the manifest that a server loads (R164)."""
