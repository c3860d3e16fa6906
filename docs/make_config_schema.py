"""Writes ``docs/config.schema.json`` from the settings, with the comments that explain them."""

import json
import re
from pathlib import Path

from merec_hpc.runs.config_schema import config_schema, described

DOCS = Path(__file__).parent


def yaml_blocks(markdown: str) -> str:
    """Return the blocks of YAML in a text in Markdown, one after another."""
    return "\n".join(re.findall(r"^```yaml\n(.*?)^```$", markdown, re.MULTILINE | re.DOTALL))


def schema_text() -> str:
    """Return the schema as it stands in its file."""
    config = (DOCS.parent / "config.yaml").read_text(encoding="utf-8")
    datasets = yaml_blocks((DOCS / "datasets.md").read_text(encoding="utf-8"))
    schema = described(config_schema(), f"{config}\n{datasets}")
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    (DOCS / "config.schema.json").write_text(schema_text(), encoding="utf-8")
