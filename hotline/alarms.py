"""The alarms that a ticket's own life raises and ends, by name."""

from __future__ import annotations

DISSATISFIED = "dissatisfied"
"""The alarm that stands while a supervisor has not looked at a bad rating of what is answered, closed or merged."""
VERDICT_RAISED = "verdict_raised"
"""The alarm that a citizen's further message raises where it tells of danger and the machine may not hand off."""
UNACKNOWLEDGED, UNSIGNED, HAND_OFF_OPEN = "incident_unacknowledged", "incident_unsigned", "hand_off_open"
"""The alarms that 110 has not taken a hand-off, has taken and not signed it, and that there is no outcome."""
OF_HAND_OFF = frozenset({UNACKNOWLEDGED, UNSIGNED, HAND_OFF_OPEN})
"""Alarms of one hand-off, which end with it: one that stood on would keep that of the next from being raised."""
EXTENSION_ASKED = "extension_requested"
"""The alarm that stands while a department waits for an answer to its `RequestExtension`."""
