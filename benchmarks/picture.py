"""The frontier: what controls cost, over the hot water that they do not serve."""

import matplotlib as mpl

MARKS = {"thermostat": "s", "timer": "^", "plan": "D", "set-points": "o", "perfect foresight": "*"}


def draw(results, file):
    """Draw the costs of controls over their unserved heat into a file."""
    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    figure, axis = plt.subplots(figsize=(10, 6.5))
    for kind, mark in MARKS.items():
        some = [each for each in results if each["control"].startswith(kind)]
        points = [max(each["u40"], 0.5) for each in some], [each["cost"] for each in some]
        axis.scatter(*points, marker=mark, s=60, label=kind)
        for each, x, y in zip(some, *points, strict=True):
            label = each["control"].removeprefix(kind).lstrip(", ") or each["control"]
            axis.annotate(label, (x, y), xytext=(6, 3), textcoords="offset points", fontsize=7)
    sweep = [
        each for each in results if each["control"].startswith("set-points") and each["control"].endswith(", 40 °C")
    ]
    sweep.sort(key=lambda each: each["r"])
    axis.plot([max(each["u40"], 0.5) for each in sweep], [each["cost"] for each in sweep], linewidth=1, color="tab:red")
    axis.set_xscale("log")
    axis.margins(x=0.15)
    axis.set_xlabel("heat drawn and not served at 40 °C [kWh a year and boiler], half a kWh or less at the left")
    axis.set_ylabel("cost at equal heat [EUR per boiler]")
    axis.legend()
    axis.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(file, dpi=90)
