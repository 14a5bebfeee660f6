"""Settings, all of them from the environment; with no variable set, one machine runs everything.

``DATABASE_URL``, ``CELERY_BROKER_URL``, ``CHANNEL_LAYER_URL`` and ``STORAGE_URL`` choose the distributed parts.
"""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from common.private_files import private_database
from config import setting_values
from config.production_checks import refuse_unsafe_production

ROOT = Path(__file__).resolve().parents[2]
env = environ.Env()
environ.Env.read_env(ROOT / ".env")

DEFAULT_SECRET = "fontanelle-development-secret-not-for-production"  # noqa: S105  production refuses it

ENVIRONMENT = env.str("FONTANELLE_ENV", "development")
PRODUCTION = ENVIRONMENT == "production"
DEBUG = env.bool("DEBUG", False)
SECRET_KEY = env.str("SECRET_KEY", DEFAULT_SECRET)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[] if PRODUCTION else ["*"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
_OWN_NAME = f"https://{ALLOWED_HOSTS[0].lstrip('.')}" if PRODUCTION and ALLOWED_HOSTS else ""
PUBLIC_URL = env.str("PUBLIC_URL", "") or _OWN_NAME or f"http://127.0.0.1:{env.str('PORT', '8000')}"
"""Where the site is reached from outside: Retrieve URLs begin with it, by whatever name a request came."""
VAR = Path(env.str("FONTANELLE_VAR", str(ROOT / "var")))
VAR.mkdir(parents=True, exist_ok=True)

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "rest_framework.authtoken",
    "drf_spectacular",
    "channels",
    "csp",
    "accounts",
    "jobs",
    "live",
    "studies",
    "inference",
    "annotations",
    "worklist",
    "training",
    "config",  # for the sake of its command, manage.py demo
]
MIDDLEWARE = [
    "config.middleware.through_trusted_proxies",
    "config.middleware.only_our_hosts",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "config.middleware.refusals_are_written_down",
    "config.middleware.patient_data_is_never_cached",
    "config.middleware.database_trouble_is_503",
]
ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "frontend" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "libraries": {"vite": "config.vite"},
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.context_processors.page",
            ],
        },
    }
]

# The database. SQLite takes its write lock when a transaction begins (IMMEDIATE), so that two writers queue instead of
# failing half-way, and syncs every commit (FULL), since "stored" is said to the sender right after it.
DATABASES: dict[str, dict[str, Any]] = {
    "default": env.db_url("DATABASE_URL", default=f"sqlite:///{VAR / 'fontanelle.sqlite3'}"),
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    if DATABASES["default"]["NAME"] != ":memory:":
        private_database(Path(DATABASES["default"]["NAME"]))
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
    }
else:
    # Under ASGI every request has a thread of its own, and a connection that outlives its request is never used again.
    DATABASES["default"]["CONN_MAX_AGE"] = 0
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = int(timedelta(hours=12).total_seconds())
SESSION_COOKIE_SECURE = PRODUCTION
CSRF_COOKIE_SECURE = PRODUCTION
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", 31536000 if PRODUCTION else 0)
# Addresses and networks of the proxies whose X-Forwarded-For and X-Forwarded-Proto are believed.
try:
    TRUSTED_PROXIES = [ip_network(each.strip(), strict=False) for each in env.list("TRUSTED_PROXIES", default=[])]
except ValueError as error:
    raise ImproperlyConfigured(f"TRUSTED_PROXIES is a list of addresses and networks: {error}.") from None
# Over plain HTTP production answers the probes alone; whatever else is asked is sent on to HTTPS.
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", PRODUCTION)
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|metricsz)$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_TLS_PROXY", False) else None
CSRF_FAILURE_VIEW = "config.error_pages.forged"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "blob:"],
        "connect-src": [SELF],
        "worker-src": [SELF],
        "font-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}

LANGUAGE_CODE = "en-gb"
TIME_ZONE = env.str("TIME_ZONE", "UTC")
USE_TZ = True
USE_I18N = False

STATIC_URL = "/static/"
STATIC_ROOT = env.str("STATIC_ROOT", str(VAR / "static"))
Path(STATIC_ROOT).mkdir(parents=True, exist_ok=True)  # WhiteNoise warns of a missing one
FRONTEND_DIST = ROOT / "frontend" / "dist"
STATICFILES_DIRS = [FRONTEND_DIST] if FRONTEND_DIST.is_dir() else []
# Vite has already put a digest into each of its files' names, and WhiteNoise may let a browser keep those for ever.
WHITENOISE_USE_FINDERS = True
WHITENOISE_IMMUTABLE_FILE_TEST = r"^/static/assets/.+-[A-Za-z0-9_-]{8}\.\w+$"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "common.contract.Schema",
    "SCHEMA_COERCE_PATH_PK": False,  # a path says {pk} as its route does
    "EXCEPTION_HANDLER": "config.api_errors.handle",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Fontanelle",
    "DESCRIPTION": "Annotation and triage of neonatal cranial ultrasound. Research use only.",
    "VERSION": "0.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "OAS_VERSION": "3.1.1",  # its schemas are JSON Schema as it stands
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "common.contract.add_components",
    ],
}

# Celery only wakes workers; the job table is the queue of record. Without a broker a worker process polls that table.
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", "")
CHANNEL_LAYER_URL = env.str("CHANNEL_LAYER_URL", "")
CHANNEL_LAYERS: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [CHANNEL_LAYER_URL]},
    }
    if CHANNEL_LAYER_URL
    else {"BACKEND": "channels.layers.InMemoryChannelLayer"}
}

# Bytes, by the digest of their content: a folder (file:///…) or any S3-compatible bucket (s3://bucket/prefix?endpoint=…).
STORAGE_URL = env.str("STORAGE_URL", f"file://{VAR / 'storage'}")
WORK_FOLDER = Path(env.str("FONTANELLE_WORK", str(VAR / "work")))  # staging, frame and embedding caches: may be deleted

MODELS_FOLDER = Path(env.str("FONTANELLE_MODELS", str(VAR / "models")))
DEMO_MODEL_FOLDER = ROOT / "inference" / "demo_model"

# What a site decides.
QUIET_PERIOD = timedelta(seconds=env.float("FONTANELLE_QUIET_SECONDS", 60))
WAITING_CAP = timedelta(minutes=env.float("FONTANELLE_WAITING_CAP_MINUTES", 240))
NEAR_CAP = timedelta(minutes=env.float("FONTANELLE_NEAR_CAP_MINUTES", 30))
FOLLOW_UP_DAYS: list[int] = env.list("FONTANELLE_FOLLOW_UP_DAYS", cast=int, default=[7, 10])
"""First and last day after a bleed of grade II or more when the next examination is due; empty: no date is said."""
if len(FOLLOW_UP_DAYS) not in (0, 2):
    raise ImproperlyConfigured("FONTANELLE_FOLLOW_UP_DAYS is two days, as 7,10, or empty.")
FOLLOW_UP_SOURCE = env.str("FONTANELLE_FOLLOW_UP_SOURCE", "Canadian guideline, PMC7286736")
SHOW_PROBABILITY = env.bool("FONTANELLE_SHOW_PROBABILITY", True)
ATTENTION_BEFORE_COMMIT = env.bool("FONTANELLE_ATTENTION_BEFORE_COMMIT", False)
_CENTILES = env.str("FONTANELLE_CENTILES", "")
CENTILES = Path(_CENTILES) if _CENTILES else None
SCORE_COLOUR_DOPPLER = env.bool("FONTANELLE_SCORE_COLOUR_DOPPLER", False)
PHANTOM_MODEL_SCORES_PATIENTS = env.bool("FONTANELLE_PHANTOM_MODEL_SCORES_PATIENTS", not PRODUCTION)
CLAIM_MINUTES = env.int("FONTANELLE_CLAIM_MINUTES", 30)
SITE_PREVALENCE = setting_values.share("SITE_PREVALENCE", env.str("SITE_PREVALENCE", ""))
MIN_POSITIVES_PER_FOLD = env.int("FONTANELLE_MIN_POSITIVES_PER_FOLD", 5)
TRAINING_FOLDS = 5

# Limits on what is taken in, and on the sandbox workers that read it.
UPLOAD_MAX_BYTES = env.int("FONTANELLE_UPLOAD_MAX_BYTES", 2 * 1024**3)
INSTANCE_MAX_BYTES = env.int("FONTANELLE_INSTANCE_MAX_BYTES", 1024**3)
REQUEST_IDLE_SECONDS = env.float("FONTANELLE_REQUEST_IDLE_SECONDS", 60)
REQUEST_MAX_SECONDS = env.float("FONTANELLE_REQUEST_MAX_SECONDS", 3600)
DISK_RESERVE_BYTES = env.int("FONTANELLE_DISK_RESERVE_BYTES", 512 * 1024**2)
QUARANTINE_MAX_BYTES = env.int("FONTANELLE_QUARANTINE_MAX_BYTES", 4 * 1024**3)
QUARANTINE_DAYS = env.int("FONTANELLE_QUARANTINE_DAYS", 30)
CHILD_MEMORY_BYTES = env.int("FONTANELLE_CHILD_MEMORY_BYTES", 2 * 1024**3)
CHILD_CPU_SECONDS = env.int("FONTANELLE_CHILD_CPU_SECONDS", 60)
CHILD_WALL_SECONDS = env.int("FONTANELLE_CHILD_WALL_SECONDS", 90)
CHILD_POOL = env.int("FONTANELLE_CHILD_POOL", 2)
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024**2
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024**2
DATA_UPLOAD_MAX_NUMBER_FILES = 2000

# Jobs
JOB_LEASE = timedelta(seconds=env.float("FONTANELLE_JOB_LEASE_SECONDS", 30))
JOB_MAX_ATTEMPTS = 3
WORKER_GRACE_SECONDS = env.float("FONTANELLE_WORKER_GRACE_SECONDS", 15)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", "INFO")},
    "loggers": {"highdicom": {"level": "WARNING"}},  # it logs the UID of each object that it writes
}

refuse_unsafe_production(
    production=PRODUCTION,
    debug=DEBUG,
    secret_is_default=SECRET_KEY == DEFAULT_SECRET or len(SECRET_KEY) < 32,
    allowed_hosts=ALLOWED_HOSTS,
)
