"""Programs that measure: how fast a plan is made, and what it saves."""
