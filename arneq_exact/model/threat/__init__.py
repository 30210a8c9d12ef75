"""Which agents an attacker may corrupt: the public face of a threat, one file for each law of corruption."""

from arneq_exact.model.threat.threat_model import ThreatModel as ThreatModel
