"""`gamekeeper-agent template check FILE`: everything that can be wrong with a template, as sentences."""

from pathlib import Path

import yaml
from pydantic import ValidationError

from games.catalog import GameTemplate, TemplateError, load_template
from games.golden.cases import CASES
from games.golden.replay import problems


def check_template(path: Path) -> list[str]:
    """Validate it, resolve it with its defaults, and replay its golden cases. Empty: all is well."""
    try:
        template = load_template(path)
        template.resolve(Path("/srv/check"), template.new_secrets())
    except (TemplateError, ValueError, OSError) as error:
        return [str(error)]
    found = [problem for name in template.golden for problem in _golden(template, path.parent / name)]
    return found if template.golden else [f"{path.name}: it has no golden cases"]


def _golden(template: GameTemplate, path: Path) -> list[str]:
    try:
        cases = CASES.validate_python(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, ValidationError, yaml.YAMLError) as error:
        return [f"{path.name}: {error}"]
    return [
        f"{path.name}, case {number} ({case.do}): {problem}"
        for number, case in enumerate(cases, start=1)
        for problem in problems(template, case)
    ]
