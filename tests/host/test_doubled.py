"""Which sources of a temperature are left out where several tell of the same hours, and since when."""

import pandas as pd

from smart_boiler_plugin.facts.doubled import HOURS, _doubled

AGREED = 2
"""Hours in which both sources say the same, before they do not."""


def told(means_by_source):
    """What sources say of hours: means [°C] by the number of the source."""
    begin = pd.Timestamp("2025-10-29T00:00Z")
    return pd.DataFrame(
        [
            {"sensor": 1, "source": source, "hour": hour, "mean_c": mean_c, "begin": begin + pd.Timedelta(hours=hour)}
            | {"sources": len(means_by_source), "name": f"gateway {source}"}
            for source, means in means_by_source.items()
            for hour, mean_c in enumerate(means)
        ]
    )


def test_all_but_the_coldest_source_are_left_out():
    two = _doubled(told({7: [60.0] * HOURS, 9: [35.0] * HOURS}))
    three = _doubled(told({7: [60.0] * HOURS, 8: [50.0] * HOURS, 9: [35.0] * HOURS}))
    assert two.left_out == {7}
    assert three.left_out == {7, 8}
    assert two.told.endswith("source 9 (gateway 9) 35.0 °C; source 7 (gateway 7) 60.0 °C")


def test_it_is_doubled_since_its_sources_no_longer_agree():
    doubled = _doubled(told({7: [50.0] * AGREED + [60.0] * HOURS, 9: [50.0] * AGREED + [35.0] * HOURS}))
    assert doubled.since == pd.Timestamp("2025-10-29T02:00Z")


def test_fewer_hours_than_a_change_of_gateways_takes_tell_nothing():
    assert _doubled(told({7: [60.0] * (HOURS - 1), 9: [35.0] * (HOURS - 1)})) is None
