"""The site's settings for tests: a folder of this run's own instead of ./var, and cheap password hashes."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

# Each xdist worker gets a folder of its own; a process that a test starts shares the one of its parent.
_owner = os.environ.get("PYTEST_XDIST_WORKER", "only")
if os.environ.get("FONTANELLE_TESTS_OWNER") != _owner:
    _folder = tempfile.mkdtemp(prefix="fontanelle-tests-")
    atexit.register(shutil.rmtree, _folder, ignore_errors=True)
    os.environ.update(FONTANELLE_TESTS_OWNER=_owner, FONTANELLE_VAR=_folder)
for _name in ("DATABASE_URL", "CELERY_BROKER_URL", "CHANNEL_LAYER_URL", "STORAGE_URL", "FONTANELLE_ENV", "DEBUG"):
    os.environ.pop(_name, None)

from config.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
DISK_RESERVE_BYTES = 0
MIDDLEWARE = ["tests.api_contract.KeepsContract", *MIDDLEWARE]  # noqa: F405  # of the settings above
# Each test client loads the middleware, which would otherwise look at every file of the front end first.
WHITENOISE_AUTOREFRESH = True
