"""Files of deployments/, as people wrote them, read as models."""

from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from flows.errors import Spoken


class IntegrationInvalid(Spoken):
    """An integration's files cannot be used. One line: which file, what, what to do."""


Kind = TypeVar("Kind", bound=BaseModel)


def content_of(path: Path) -> object:
    """What a YAML file says, by the parser in C. Raises OSError, UnicodeDecodeError, yaml.YAMLError."""
    return yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)


def parsed(path: Path, kind: type[Kind]) -> Kind:
    """What a file says. Raises IntegrationInvalid: it is missing, or says what is not understood."""
    try:
        return kind.model_validate(content_of(path))
    except OSError as error:
        raise IntegrationInvalid(f"{path}: cannot be read ({error.strerror}); put the file there") from None
    except yaml.YAMLError as error:
        line = (
            error.problem_mark.line + 1
            if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark
            else 1
        )
        raise IntegrationInvalid(
            f"{path}:{line}: is not YAML; look at the indentation and quotes there"
        ) from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "top level"
        raise IntegrationInvalid(f"{path}: {place}: {first['msg']}; correct it and start again") from None
