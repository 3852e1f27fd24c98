"""Settings, from environment variables. `./start` and `./test` set what they need.

DATABASE_URL     postgresql://user:password@host:port/name; without it SQLite in TANDEM_DATA
TANDEM_DATA      folder for the database, keys and samples (default: ./data)
PUBLIC_URL       the address under which users reach this installation
SMTP_URL         smtp://[user:password@]host:port, where invitations go out; without it they wait
MAIL_FROM        the installation's own address, in From of every invitation
TANDEM_ALLOW_PRIVATE_NETWORK  1: calendar servers on loopback and private addresses may be connected
GOOGLE_CLIENT_ID, GOOGLE_CLIENT_SECRET  the OAuth client for Google Calendar, before the one of the settings page
TANDEM_GOOGLE_SITE  base address of a stand-in for Google (samples and tests only)
TANDEM_MAIL_SINK folder of the local mail sink whose messages the page /mail shows (samples only)
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from tandem.database.keyfile import read_or_make_key

DATA = Path(os.environ.get("TANDEM_DATA", "data")).resolve()
SECRET_KEY = os.environ.get("TANDEM_SECRET_KEY") or read_or_make_key(DATA / "secret.key")
SECRETS_KEYS = [key for key in os.environ.get("TANDEM_SECRETS_KEYS", "").split(",") if key] or [
    read_or_make_key(DATA / "secrets.key", fernet=True)
]

PUBLIC_URL = os.environ.get("PUBLIC_URL", "http://127.0.0.1:8000").rstrip("/")
_host = urlsplit(PUBLIC_URL)
DEBUG = False
ALLOWED_HOSTS = [_host.hostname or "127.0.0.1", "127.0.0.1", "localhost", "[::1]"]
CSRF_TRUSTED_ORIGINS = [f"{_host.scheme}://{_host.netloc}"]
SECURE = _host.scheme == "https"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 30 * 86400
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "tandem.web.errors.csrf_failed"

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "tandem.team",
    "tandem.crm",
    "tandem.mailboxes",
    "tandem.meetings",
    "tandem.invitations",
    "tandem.web",
]
AUTH_USER_MODEL = "team.User"
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "tandem.web.middleware.HeadAsGet",
    "tandem.web.live.NotModified",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "tandem.web.middleware.ContentSecurityPolicy",
    "tandem.web.middleware.SignedIn",
    "tandem.web.middleware.Presence",
]
ROOT_URLCONF = "tandem.web.urls"
WSGI_APPLICATION = "tandem.web.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "tandem.web.frame.frame",
            ],
            "builtins": ["tandem.web.templatetags.tandem"],
        },
    }
]
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
LOGIN_URL = "sign-in"

USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-gb"
USE_I18N = True

SMTP_URL = os.environ.get("SMTP_URL", "")
MAIL_FROM = os.environ.get("MAIL_FROM", f"tandem@{_host.hostname or 'localhost'}")
MAIL_SINK = os.environ.get("TANDEM_MAIL_SINK", "")
GOOGLE_CLIENT_ID = os.environ.get("GOOGLE_CLIENT_ID", "")
GOOGLE_CLIENT_SECRET = os.environ.get("GOOGLE_CLIENT_SECRET", "")
GOOGLE_SITE = os.environ.get("TANDEM_GOOGLE_SITE", "").rstrip("/")
ALLOW_PRIVATE_NETWORK = os.environ.get("TANDEM_ALLOW_PRIVATE_NETWORK", "") == "1"


def database(url: str | None) -> dict[str, Any]:
    """Django's entry for DATABASE_URL, or for SQLite in the data folder.

    SQLite: WAL and IMMEDIATE transactions, for the defaults lose writes under one importing worker.
    Raises `ValueError` for a URL of another kind.
    """
    if not url:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": DATA / "tandem.sqlite3",
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=20000;",
            },
        }
    parts = urlsplit(url)
    if parts.scheme not in {"postgresql", "postgres"}:
        raise ValueError(
            f"DATABASE_URL starts with {parts.scheme}://; Tandem speaks postgresql:// (or SQLite without it)"
        )
    host = unquote(parts.hostname or "")
    query = dict(pair.split("=", 1) for pair in parts.query.split("&") if "=" in pair)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(query.get("host", "")) or host,
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 300,
        "CONN_HEALTH_CHECKS": True,
    }


DATABASES = {"default": database(os.environ.get("DATABASE_URL"))}
LOGGING_CONFIG = None
