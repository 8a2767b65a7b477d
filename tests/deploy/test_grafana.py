"""The dashboard for Grafana by Grafana's own types, and in itself. Its expressions: `test_prometheus.py`."""

import json
from pathlib import Path
from typing import Any

import pytest

from support.consumers import DEPLOY, NO_NODE_PACKAGES, NODE_PACKAGES
from support.node import NO_PACKAGES, PACKAGES, has_packages, run_node

DASHBOARD: dict[str, Any] = json.loads((DEPLOY / "grafana" / "fleetglass.json").read_text())
SCHEMA = NODE_PACKAGES / "@grafana" / "schema" / "dist" / "types"
KINDS = {"stat": "stat", "state-timeline": "statetimeline", "table": "table", "timeseries": "timeseries"}
"""Kinds of panels, and where their types are."""

TYPES = """
import type { Dashboard, Panel, RowPanel } from "SCHEMA/index";
/** An enumeration is written as its values. */
type Plain<T> =
    T extends string ? `${T}` :
    T extends number ? T | (`${T}` extends `${infer N extends number}` ? N : never) :
    T extends readonly (infer E)[] ? Plain<E>[] :
    T extends object ? { [K in keyof T]: Plain<T[K]> } : T;
type Config = NonNullable<Panel["fieldConfig"]>;
type Of<Options, Custom> = Omit<Panel, "options" | "fieldConfig" | "targets"> & {
    options: Partial<Options>;
    fieldConfig: Omit<Config, "defaults"> & {
        defaults: Omit<Config["defaults"], "custom"> & { custom?: Partial<Custom> };
    };
    targets: { datasource: object; editorMode: "code"; expr: string; legendFormat?: string; refId: string;
               format?: "table"; instant?: boolean; range?: boolean }[];
};
"""


def program(dashboard: dict[str, Any]) -> str:
    """Return a program that gives each part of a dashboard its type; TypeScript finds what does not fit."""
    lines = [TYPES.replace("SCHEMA", str(SCHEMA))]
    for kind in KINDS.values():
        path = SCHEMA / "raw" / "composable" / kind / "panelcfg" / "x" / "types.gen"
        names = f"Options as {kind}Options" + ("" if kind == "stat" else f", FieldConfig as {kind}Custom")
        lines.append(f'import type {{ {names} }} from "{path}";')
    for number, panel in enumerate(dashboard["panels"]):
        kind = KINDS.get(panel["type"], "")
        custom = "object" if kind == "stat" else f"{kind}Custom"
        type_ = f"Of<{kind}Options, {custom}>" if kind else "RowPanel"
        lines.append(f"export const panel{number}: Plain<{type_}> = {json.dumps(panel)};")
    lines.append(f"export const all: Plain<Dashboard> = {json.dumps(dashboard | {'panels': []})};")
    return "\n".join(lines)


def complaints(dashboard: dict[str, Any], folder: Path) -> str:
    source = folder / "dashboard.ts"
    source.write_text(program(dashboard))
    checked = run_node(
        PACKAGES / "typescript" / "bin" / "tsc",
        *("--noEmit", "--strict", "--skipLibCheck", "--pretty", "false", "--types", ""),
        *("--target", "es2022", "--module", "esnext", "--moduleResolution", "bundler"),
        source,
    )
    return checked.stdout


@pytest.mark.slow  # needs 120 MB of npm packages
@pytest.mark.skipif(not has_packages(), reason=NO_PACKAGES)
@pytest.mark.skipif(not SCHEMA.exists(), reason=NO_NODE_PACKAGES)
def test_grafana_knows_every_word_of_it(tmp_path: Path) -> None:
    """Dashboard, panels, options and variables fit the types that Grafana publishes; another does not."""
    assert complaints(DASHBOARD, tmp_path) == ""
    wrong = json.loads(json.dumps(DASHBOARD))
    wrong["panels"][1]["options"]["colourMode"] = "value"
    assert "'\"colourMode\"' does not exist" in complaints(wrong, tmp_path)


def test_panels_have_their_own_ids_and_places() -> None:
    """No two panels share an id or a part of the screen, and none is wider than it."""
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells
    assert max(x for x, _ in taken) == 23
