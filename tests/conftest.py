"""Shapes and dtypes are enforced while the tests run; nothing of that is paid in production."""

import warnings

# beartype must see the packages before any test imports them.
from jaxtyping import install_import_hook

with warnings.catch_warnings():
    install_import_hook(("contract", "predictor", "transformer", "serving", "training"), "beartype.beartype")
