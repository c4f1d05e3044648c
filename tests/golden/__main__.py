"""`make golden`: write the golden file anew, after a change that is meant to move it."""

import json

from tests.golden.cases import FILE, found

FILE.write_text(json.dumps(found(), indent=1, ensure_ascii=False) + "\n")
