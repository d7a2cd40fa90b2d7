"""mcp-oauth-proxy: lets OAuth clients such as Claude reach an MCP server that knows nothing of OAuth.

Authorization server and resource server in one (OAuth 2.1, MCP authorization 2025-11-25), for one confidential client
and one backend. Settings and secrets come from the environment alone, in production from the unit's EnvironmentFile=.
Runs on what Debian 12 and 13 ship: FastAPI 0.92 and 0.115, uvicorn 0.17 and 0.32, httpx 0.23 and 0.28, PyJWT 2.6 and
2.10.

In this order: settings, audit lines, state, answers and forms, metadata, consent, tokens, access, forwarding, the
application.

Left out on purpose: python-multipart, because one request with a crafted Content-Type hangs the version that Debian 12
ships (forms are parsed by urllib.parse); dynamic registration and client-id metadata documents, because a code must be
worth nothing to whoever does not know the secret; CORS, because no web page holds that secret.
"""

import asyncio
import base64
import hashlib
import hmac
import html
import ipaddress
import json
import logging
import os
import re
import signal
import sqlite3
import time
from collections import deque
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from secrets import token_urlsafe
from typing import NamedTuple
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

import httpx
import jwt
from fastapi import FastAPI
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

# --- Settings ---------------------------------------------------------------------------------------------------------

SECRETS = ("MCP_TOKEN", "CLIENT_ID", "CLIENT_SECRET", "TOKEN_SECRET")
SCOPE = "mcp"

CODE_LIFETIME = 60  # seconds; RFC 6749 section 4.1.2 allows ten minutes at most
CONSENT_LIFETIME = 600  # seconds that a consent page may stay open
ACCESS_LIFETIME = 3600  # seconds
REFRESH_LIFETIME = 180 * 24 * 3600  # seconds since it was given; each use gives a new one
CROSSING = 30  # seconds in which refreshes of one client that were sent at the same time may overtake each other
REFRESH_KEPT = 1000  # tokens of one connection that are remembered, so that nobody fills the disk
WRONG_PASSWORDS = 10  # a minute from one address, so that nobody locks out the owner
WRONG_PASSWORDS_IN_ALL = 100  # a minute from wherever

FORM_LIMIT = 16 * 1024  # bytes
CONSENT_LIMIT = 32 * 1024  # bytes; its form brings back a `state` that may have grown to the eightfold
STATE_LIMIT = 2048  # bytes of OAuth's `state`
TOKEN_LIMIT = 4096  # characters of an access token; ours have some 500
BODY_LIMIT = 4 * 1024 * 1024  # bytes, as in the installer's nginx site
READ_AHEAD = 64 * 1024  # bytes of a body that are here before the backend hears of it

CONNECT_TIMEOUT = 5.0  # seconds, towards the backend; reading has no limit, since streams stay open
KEEP_IDLE = 2.0  # seconds; below the five after which Node's server closes a connection that we might just be using
LINGER = 0.2  # seconds after a stop in which connections that were accepted may still bring a request
GRACE = 2.5  # seconds that requests have to finish on a stop
STOP_LIMIT = 3.0  # seconds until a stop waits for nobody any more; systemd would kill after 4

CLAUDE = ("https://claude.ai/api/mcp/auth_callback", "https://claude.com/api/mcp/auth_callback")
LOOPBACK_PATHS = ("/", "/callback", "/oauth/callback", "/oauth/callback/debug")


def read_secrets():
    missing = [name for name in SECRETS if not os.environ.get(name)]
    if missing:
        raise SystemExit("mcp-oauth-proxy refuses to start without " + ", ".join(missing))
    return {name: os.environ[name] for name in SECRETS}


def read_public_url():
    url = os.environ.get("PUBLIC_URL", "")
    domain = os.environ.get("DOMAIN", "")
    if not url and domain:
        url = ("http://" if os.environ.get("INSECURE_HTTP") == "1" else "https://") + domain
    if not url:
        url = "http://127.0.0.1:%d" % (int(os.environ.get("LISTEN_PORT") or "8083") + 1)
    return url.rstrip("/")


def is_loopback(host):
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def read_backend_url():
    url = os.environ.get("BACKEND_URL") or "http://127.0.0.1:8000/mcp"
    parts = urlsplit(url)
    if parts.username is not None or not parts.hostname or parts.scheme not in ("http", "https"):
        raise SystemExit("mcp-oauth-proxy refuses to start: BACKEND_URL is no http or https URL without user name")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise SystemExit("mcp-oauth-proxy refuses to start: BACKEND_URL must be https, MCP_TOKEN is sent to it")
    return url


def origin_of(url):
    parts = urlsplit(url)
    return "%s://%s" % (parts.scheme, parts.netloc)


secret = read_secrets()
owner_password = os.environ.get("OWNER_PASSWORD", "")
public_url = read_public_url()
mcp_url = public_url + "/mcp"
backend_url = read_backend_url()
backend_timeout = float(os.environ.get("BACKEND_TIMEOUT") or "300")  # seconds
body_timeout = float(os.environ.get("BODY_TIMEOUT") or "60")  # seconds that a client may keep us waiting for its body
redirect_uris = [*CLAUDE, *filter(None, (uri.strip() for uri in os.environ.get("REDIRECT_URIS", "").split(",")))]
known_origins = {public_url, *map(origin_of, redirect_uris)}


def key_for(purpose):
    """A key of its own for each purpose. CLIENT_ID is part of it: what one client was given is nothing to the next."""
    text = "\0".join((purpose, secret["CLIENT_ID"]))
    return hmac.new(secret["TOKEN_SECRET"].encode(), text.encode(), hashlib.sha256).digest()


# --- Audit lines ------------------------------------------------------------------------------------------------------


def audit(event, request=None, **facts):
    """One line of JSON for systemd's journal. Facts are words of ours; never a token, a code or a secret."""
    now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
    # uvicorn takes the address from nginx's X-Forwarded-For; on Debian 12 it leaves out one that is this host's own.
    client = {"ip": request.client.host or "127.0.0.1"} if request is not None and request.client is not None else {}
    told = {name: value for name, value in facts.items() if value is not None}
    print(json.dumps({"audit": event, "time": now, **client, **told}), flush=True)


def host_in_words(uri):
    """The host of a redirect URI, which may be a stranger's: short, and of harmless characters."""
    try:
        host = urlsplit(uri).hostname or ""
    except ValueError:
        host = ""
    return re.sub(r"[^a-z0-9.:-]", "?", host)[:100]


def without_trace(record):
    """uvicorn of Debian 12 traces a request that is no HTTP, with whatever token stands in it."""
    if record.getMessage().startswith("Invalid HTTP request"):
        record.exc_info = None
    return True


logging.getLogger("uvicorn.error").addFilter(without_trace)

# --- State ------------------------------------------------------------------------------------------------------------


class Refused(Exception):
    """An OAuth error for the client. `reason` is for the audit line, and `status` the HTTP one."""

    def __init__(self, error, description, reason=None, status=400, connection=None):
        super().__init__(error)
        self.error = error
        self.description = description
        self.reason = reason or error
        self.status = status
        self.connection = connection


class Grant(NamedTuple):
    connection: str
    scope: str
    refresh_token: str


class State:
    """Codes, connections and refresh tokens, in SQLite. Each method is one transaction: it happened or it did not.

    A connection is what one consent made. Of its refresh tokens one is `used`: the last that was shown. It stays valid
    until one of those that it brought, which are `next`, is shown, since an answer can get lost; all others are then
    `spent`, and showing one of these ends the connection (RFC 9700 section 4.14.2).

    One exception: calls of one client that find its access token expired all refresh, with the token that each of them
    has just read, and overtake each other. So while the token that is shown is younger than CROSSING, the one before it
    is honoured until that age, and those that were issued beside it stay `next`. Codes and tokens are kept as keyed hashes.
    """

    VERSION = 1
    SCHEMA = """
        CREATE TABLE connection (id TEXT PRIMARY KEY, scope TEXT NOT NULL, created INTEGER NOT NULL, ended INTEGER);
        CREATE TABLE code (hash BLOB PRIMARY KEY, redirect_uri TEXT NOT NULL, challenge TEXT NOT NULL,
            scope TEXT NOT NULL, expires INTEGER NOT NULL, used INTEGER NOT NULL DEFAULT 0, connection TEXT);
        CREATE TABLE refresh (hash BLOB PRIMARY KEY, connection TEXT NOT NULL, state TEXT NOT NULL,
            issued INTEGER NOT NULL, expires INTEGER NOT NULL, honoured_until INTEGER NOT NULL DEFAULT 0);
        CREATE INDEX refresh_of_connection ON refresh (connection);
        CREATE INDEX refresh_by_expiry ON refresh (expires);
    """

    def __init__(self, directory):
        self.file = Path(directory, "state.db") if directory else None
        self.code_key = key_for("code")
        self.refresh_key = key_for("refresh")
        self.ending = None  # Of the transaction that is under way: reason and connection, told once it is written.
        try:
            self.db = self.open()
        except sqlite3.OperationalError:
            raise  # A full disk, a lock: no reason to give up what is there.
        except sqlite3.DatabaseError:
            self.set_aside()
            self.db = self.open()

    def open(self):
        # isolation_level=None: transactions are begun here, not by the module. timeout: who looks into the file just now.
        db = sqlite3.connect(self.file or ":memory:", isolation_level=None, timeout=10.0)
        try:
            # Readers, an owner with a shell for one, and the writer do not wait for each other.
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=FULL")
            (version,) = db.execute("PRAGMA user_version").fetchone()
            is_new = db.execute("SELECT 1 FROM sqlite_master").fetchone() is None
            if version == 0 and is_new:
                db.executescript("BEGIN; %s PRAGMA user_version=%d; COMMIT" % (self.SCHEMA, self.VERSION))
            elif version != self.VERSION or db.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                raise sqlite3.DatabaseError("not a state of this version")
            # Short from here on: all other requests wait as well.
            db.execute("PRAGMA busy_timeout=200")
            return db
        except BaseException:
            db.close()
            raise

    def set_aside(self):
        """Better that clients connect again than that nobody can connect at all."""
        self.file.replace(self.file.with_name("state.db.set-aside"))
        for leftover in ("state.db-journal", "state.db-wal", "state.db-shm"):
            self.file.with_name(leftover).unlink(missing_ok=True)
        audit("state.replaced")

    @contextmanager
    def transaction(self):
        """What a refusal wrote (used up, ended) stays as well; anything else that is raised undoes everything."""
        refusal = None
        self.ending = None
        self.db.execute("BEGIN IMMEDIATE")
        try:
            try:
                yield self.db
            except Refused as error:
                refusal = error
            self.db.execute("COMMIT")
        except BaseException:
            if self.db.in_transaction:
                self.db.execute("ROLLBACK")
            raise
        if self.ending is not None:
            reason, connection = self.ending
            audit("connection.ended", reason=reason, connection=connection)
            running.streams.end(connection)
        if refusal is not None:
            raise refusal

    @staticmethod
    def hash(key, text):
        return hmac.new(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).digest()

    def close(self):
        self.db.close()

    def new_code(self, asked):
        code, now = token_urlsafe(32), int(time.time())
        row = (self.hash(self.code_key, code), asked.redirect_uri, asked.challenge, asked.scope, now + CODE_LIFETIME)
        with self.transaction() as db:
            self.tidy(now)
            db.execute("INSERT INTO code (hash, redirect_uri, challenge, scope, expires) VALUES (?, ?, ?, ?, ?)", row)
        return code

    def redeem_code(self, code, redirect_uri, verifier, problem=None):
        """Uses the code up, whether what comes with it is right or wrong. @param problem what is known to be wrong"""
        hashed, now = self.hash(self.code_key, code), int(time.time())
        with self.transaction() as db:
            found = db.execute(
                "SELECT redirect_uri, challenge, scope, expires, used, connection FROM code WHERE hash = ?", (hashed,)
            ).fetchone()
            if found is None:
                raise problem or Refused("invalid_grant", "no such code was issued", "unknown_code")
            bound_to, challenge, scope, expires, used, connection = found
            if used:
                self.end(connection, "code_reuse", now)
                raise Refused("invalid_grant", "the code was used before", "code_reuse", connection=connection)
            db.execute("UPDATE code SET used = 1 WHERE hash = ?", (hashed,))
            if problem is not None:
                raise problem
            if expires <= now:
                raise Refused("invalid_grant", "the code has expired", "expired_code")
            if redirect_uri != bound_to:
                raise Refused("invalid_grant", "the code is of another redirect_uri", "other_redirect_uri")
            if not hmac.compare_digest(challenge_of(verifier), challenge):
                raise Refused("invalid_grant", "code_verifier does not fit the code_challenge", "wrong_verifier")
            connection = token_urlsafe(12)
            db.execute("INSERT INTO connection (id, scope, created) VALUES (?, ?, ?)", (connection, scope, now))
            db.execute("UPDATE code SET connection = ? WHERE hash = ?", (connection, hashed))
            return Grant(connection, scope, self.new_refresh_token(connection, now))

    def refresh(self, token):
        hashed, now = self.hash(self.refresh_key, token), int(time.time())
        with self.transaction() as db:
            found = db.execute(
                "SELECT connection, state, issued, expires, honoured_until, scope, ended"
                " FROM refresh JOIN connection ON id = connection WHERE hash = ?",
                (hashed,),
            ).fetchone()
            if found is None:
                raise Refused("invalid_grant", "no such refresh token was issued", "unknown_refresh_token")
            connection, state, issued, expires, honoured_until, scope, ended = found
            if ended is not None:
                raise Refused("invalid_grant", "the connection was ended", "ended", connection=connection)
            if expires <= now:
                raise Refused("invalid_grant", "the refresh token has expired", "expired", connection=connection)
            if state == "spent" and honoured_until <= now:
                self.end(connection, "refresh_reuse", now)
                raise Refused(
                    "invalid_grant", "the refresh token was used before", "refresh_reuse", connection=connection
                )
            if state == "next":
                calm = issued + CROSSING
                db.execute(
                    "UPDATE refresh SET state = 'spent', honoured_until = ?1 WHERE connection = ?2"
                    " AND (state = 'used' OR state = 'next' AND (?1 <= ?3 OR issued + ?4 <= ?3))",
                    (calm, connection, now, CROSSING),
                )
                db.execute("UPDATE refresh SET state = 'used' WHERE hash = ?", (hashed,))
            self.tidy(now)
            return Grant(connection, scope, self.new_refresh_token(connection, now))

    def new_refresh_token(self, connection, now):
        token = token_urlsafe(32)
        self.db.execute(
            "INSERT INTO refresh (hash, connection, state, issued, expires) VALUES (?, ?, 'next', ?, ?)",
            (self.hash(self.refresh_key, token), connection, now, now + REFRESH_LIFETIME),
        )
        self.db.execute(
            "DELETE FROM refresh WHERE connection = ?1 AND state != 'used' AND rowid NOT IN"
            " (SELECT rowid FROM refresh WHERE connection = ?1 ORDER BY rowid DESC LIMIT ?2)",
            (connection, REFRESH_KEPT),
        )
        return token

    def end(self, connection, reason, now):
        ended = self.db.execute(
            "UPDATE connection SET ended = ? WHERE id = ? AND ended IS NULL", (now, connection)
        ).rowcount
        if ended:
            self.ending = (reason, connection)

    def has_ended(self, connection):
        """One that is not known (the state was lost) has not: its access tokens are signed, and short-lived."""
        found = self.db.execute("SELECT 1 FROM connection WHERE id = ? AND ended IS NOT NULL", (connection,))
        return found.fetchone() is not None

    def tidy(self, now):
        self.db.execute("DELETE FROM code WHERE expires < ?", (now - ACCESS_LIFETIME,))
        self.db.execute("DELETE FROM code WHERE expires < ? AND NOT used", (now - CODE_LIFETIME,))
        self.db.execute("DELETE FROM refresh WHERE expires < ?", (now,))
        self.db.execute(
            "DELETE FROM connection WHERE created < ? AND ifnull(ended, 0) < ?"
            " AND id NOT IN (SELECT connection FROM refresh)",
            (now - ACCESS_LIFETIME, now - ACCESS_LIFETIME),
        )


def challenge_of(verifier):
    """RFC 7636 section 4.2, S256."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


# --- Answers and forms ------------------------------------------------------------------------------------------------

NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


def oauth_answer(status, body, headers=None):
    return JSONResponse(body, status_code=status, headers={**NO_STORE, **(headers or {})})


def oauth_error(status, code, description, headers=None):
    return oauth_answer(status, {"error": code, "error_description": description}, headers)


def rpc_error(status, message, body=b"", headers=None):
    """A JSON-RPC error for each request in `body`; HTTP's status is what clients look at first."""
    errors = [rpc_object(number, message) for number in request_ids(body)] or [rpc_object(None, message)]
    # In ASCII, unlike JSONResponse: an id may hold half of a character, which has no UTF-8.
    text = json.dumps(errors[0] if len(errors) == 1 else errors, separators=(",", ":"))
    headers = {**NO_STORE, **(headers or {})}
    return Response(text, status_code=status, headers=headers, media_type="application/json")


def rpc_object(number, message):
    return {"jsonrpc": "2.0", "id": number, "error": {"code": -32000, "message": message}}


def request_ids(body):
    """The ids of the JSON-RPC requests in a body; none where it is not whole, or holds none."""
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return []
    messages = parsed if isinstance(parsed, list) else [parsed]
    return [
        message["id"]
        for message in messages
        if isinstance(message, dict) and "method" in message and isinstance(message.get("id"), (str, int))
    ]


def single_values(encoded):
    """Form or query as a dict; None where it is none, or holds one parameter twice (RFC 6749 sections 3.1 and 3.2)."""
    try:
        text = encoded.decode("ascii")
        fields = parse_qs(text, keep_blank_values=True, max_num_fields=50, errors="strict")
    except ValueError:
        return None
    if any(len(values) > 1 for values in fields.values()):
        return None
    return {name: values[0] for name, values in fields.items()}


async def read_form(request, limit=FORM_LIMIT):
    """The form as a dict of single values; None where it is too large or no form. @raises Refused where it is too slow"""
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        return None
    body = bytearray()
    try:
        async with asyncio.timeout(body_timeout):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limit:
                    return None
    except TimeoutError:
        raise too_slow() from None
    return single_values(bytes(body))


def too_slow():
    return Refused("invalid_request", "the request did not come within %g seconds" % body_timeout, "too_slow", 408)


# --- Metadata ---------------------------------------------------------------------------------------------------------

PUBLIC = {"Cache-Control": "public, max-age=300"}
METADATA_URL = public_url + "/.well-known/oauth-protected-resource/mcp"


async def authorization_server_metadata(request):
    """RFC 8414. Under OpenID's name as well, where some clients look: what it says is the same."""
    return JSONResponse(
        {
            "issuer": public_url,
            "authorization_endpoint": public_url + "/authorize",
            "token_endpoint": public_url + "/token",
            "scopes_supported": [SCOPE],
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        },
        headers=PUBLIC,
    )


async def protected_resource_metadata(request):
    """RFC 9728."""
    return JSONResponse(
        {
            "resource": mcp_url,
            "authorization_servers": [public_url],
            "scopes_supported": [SCOPE],
            "bearer_methods_supported": ["header"],
        },
        headers=PUBLIC,
    )


# --- Consent ----------------------------------------------------------------------------------------------------------

# Without Secure where a browser would not send it back: on http, that is on loopback or as the owner insisted.
IS_SECURE = public_url.startswith("https://")
COOKIE = "__Host-mcp-consent" if IS_SECURE else "mcp-consent"

STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0; display: grid; place-items: center; min-height: 100vh; }
main { box-sizing: border-box; width: min(30rem, 100%); padding: 1.5rem; }
h1 { font-size: 1.4rem; } dt { opacity: .7; } dd { margin: 0 0 .75rem; overflow-wrap: anywhere; }
label, input { display: block; width: 100%; box-sizing: border-box; font: inherit; }
input { padding: .5rem; margin: .25rem 0 1rem; }
button { font: inherit; padding: .6rem 1.2rem; margin: 0 .5rem .5rem 0; cursor: pointer; }
.problem { border-left: .25rem solid #c62828; padding-left: .75rem; }
"""

PAGE_HEADERS = {
    **NO_STORE,
    # No form-action: browsers hold it against every redirect that follows the form, also those of the client's own.
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; style-src 'sha256-%s'"
    % base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode(),
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer: with it browsers send "Origin: null" with the form.
    "Referrer-Policy": "same-origin",
}


class Asked(NamedTuple):
    """An authorization request that was found good."""

    redirect_uri: str
    state: str | None
    challenge: str
    scope: str


class ToClient(Exception):
    """An error that the client is told by redirect: the redirect URI is one of its own."""

    def __init__(self, redirect_uri, state, error, description):
        super().__init__(error)
        self.redirect_uri = redirect_uri
        self.state = state
        self.error = error
        self.description = description


def is_redirect_uri(uri):
    if uri in redirect_uris:
        return True
    # RFC 8252 section 7.3: the port of a client on the user's own computer is whatever was free.
    matched = re.fullmatch(r"(http://(?:127\.0\.0\.1|localhost|\[::1\]))(?::([1-9][0-9]{0,4}))?(/[!-~]*)", uri)
    if matched is None or int(matched[2] or "80") > 65535:
        return False
    host, _, path = matched.groups()
    if path in LOOPBACK_PATHS:
        return True
    return any(re.sub(r"^(http://(?:[^/:]+|\[::1\])):\d+", r"\1", known) == host + path for known in redirect_uris)


def is_same(one, other):
    """Compared in constant time, so that an answer's time tells nothing."""
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode())


def granted_scope(asked):
    """What is granted of what was asked for; an empty string where that is nothing."""
    return SCOPE if not asked.strip() or SCOPE in asked.split() else ""


def read_authorization(fields):
    """@raises Refused where nobody can be told but who asks; ToClient where the client can"""
    if fields is None:
        raise Refused("invalid_request", "a query of single parameters is expected", "malformed")
    if not is_same(fields.get("client_id", ""), secret["CLIENT_ID"]):
        raise Refused("invalid_client", "client_id is not the one of this server", "unknown_client")
    redirect_uri = fields.get("redirect_uri", "")
    if not is_redirect_uri(redirect_uri):
        raise Refused(
            "invalid_request",
            "redirect_uri is not one of this server's client; the owner can add it to REDIRECT_URIS",
            "unknown_redirect_uri",
        )
    state = fields.get("state")
    if state is not None and len(state.encode("utf-8", "surrogatepass")) > STATE_LIMIT:
        raise Refused("invalid_request", "state is longer than %d bytes" % STATE_LIMIT, "long_state")

    def tell(error, description):
        return ToClient(redirect_uri, state, error, description)

    if fields.get("response_type", "") != "code":
        given = "response_type" in fields
        raise tell("unsupported_response_type" if given else "invalid_request", "response_type must be code")
    if fields.get("response_mode", "query") != "query":
        raise tell("invalid_request", "response_mode must be query")
    if fields.get("code_challenge_method", "") != "S256":
        raise tell("invalid_request", "PKCE is needed, code_challenge_method must be S256")
    challenge = fields.get("code_challenge", "")
    if re.fullmatch(r"[A-Za-z0-9_-]{43}", challenge) is None:
        raise tell("invalid_request", "code_challenge must be the base64url of a sha256, without padding")
    if fields.get("resource", mcp_url) != mcp_url:
        raise tell("invalid_target", "resource must be " + mcp_url)
    scope = granted_scope(fields.get("scope", ""))
    if not scope:
        raise tell("invalid_scope", "the scope of this server is " + SCOPE)
    return Asked(redirect_uri, state, challenge, scope)


def redirect(status, redirect_uri, state, **result):
    told = {**result, **({} if state is None else {"state": state}), "iss": public_url}
    separator = "&" if urlsplit(redirect_uri).query else "?"
    return RedirectResponse(redirect_uri + separator + urlencode(told), status_code=status, headers=NO_STORE)


def page(status, title, body):
    text = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>%s</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><style>%s</style></head>'
        "<body><main><h1>%s</h1>%s</main></body></html>"
    ) % (html.escape(title), STYLE, html.escape(title), body)
    return HTMLResponse(text, status_code=status, headers=PAGE_HEADERS)


def refuse_authorization(request, refusal):
    """A page for people, OAuth's JSON for others."""
    if "text/html" in request.headers.get("accept", ""):
        words = '<p class="problem">%s: %s.</p>' % (html.escape(refusal.error), html.escape(refusal.description))
        return page(refusal.status, "This connection cannot be made", words)
    return oauth_error(refusal.status, refusal.error, refusal.description)


def client_in_words(redirect_uri):
    host = host_in_words(redirect_uri)
    if redirect_uri in CLAUDE:
        return "Claude"
    return "a program on this computer" if is_loopback(host) else host


def browser_mark(browser):
    return hmac.new(key_for("browser"), browser.encode(), hashlib.sha256).hexdigest()


def consent_page(request, asked, status=200, problem=""):
    known = request.cookies.get(COOKIE, "")
    browser = known if re.fullmatch(r"[A-Za-z0-9_-]{43}", known) else token_urlsafe(32)
    claims = {**asked._asdict(), "browser": browser_mark(browser), "exp": int(time.time()) + CONSENT_LIFETIME}
    password = (
        '<label>Password of this server’s owner<input type="password" name="password" required autofocus'
        ' autocomplete="current-password"></label>'
    )
    body = """%s<p><strong>%s</strong> asks to use the MCP server at <strong>%s</strong>.</p>
<dl><dt>It may</dt><dd>call every tool and read everything there (scope <code>%s</code>)</dd>
<dt>It answers at</dt><dd>%s</dd></dl>
<p>Allow this only if you have just pressed Connect there yourself.</p>
<form method="post" action="/authorize"><input type="hidden" name="request" value="%s">%s
<button name="decision" value="allow">Allow</button><button name="decision" value="deny" formnovalidate>Deny</button></form>
""" % (
        '<p class="problem" role="alert">%s</p>' % html.escape(problem) if problem else "",
        html.escape(client_in_words(asked.redirect_uri)),
        html.escape(urlsplit(public_url).netloc),
        html.escape(asked.scope),
        html.escape(origin_of(asked.redirect_uri)),
        jwt.encode(claims, key_for("consent"), algorithm="HS256"),
        password if owner_password else "",
    )
    answer = page(status, "Connect to this MCP server?", body)
    answer.set_cookie(COOKIE, browser, path="/", secure=IS_SECURE, httponly=True, samesite="lax")
    return answer


def read_consent(request, form):
    """The request that the page was shown for. @raises Refused unless it comes from that page in that browser"""
    if any(origin != public_url for origin in request.headers.getlist("origin")):
        raise Refused("access_denied", "the form was sent from elsewhere", "foreign_origin", 403)
    if form is None:
        raise Refused("invalid_request", "the form of the consent page is expected", "malformed")
    try:
        claims = jwt.decode(
            form.get("request", ""), key_for("consent"), algorithms=["HS256"], options={"require": ["exp", "browser"]}
        )
    except jwt.ExpiredSignatureError:
        words = "the page was open for too long; start again from the client"
        raise Refused("invalid_request", words, "expired_request") from None
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise Refused("invalid_request", "the request was not made here", "forged_request") from None
    if not is_same(browser_mark(request.cookies.get(COOKIE, "")), claims["browser"]):
        words = "the page was opened in another browser, or its cookie is missing"
        raise Refused("access_denied", words, "other_browser", 403)
    return Asked(*(claims[name] for name in Asked._fields))


class Attempts:
    """Wrong passwords of the last minute, and from where they came."""

    def __init__(self):
        self.latest = deque(maxlen=WRONG_PASSWORDS_IN_ALL)

    def are_too_many(self, address):
        since = time.monotonic() - 60
        recent = [whose for when, whose in self.latest if when > since]
        return len(recent) >= WRONG_PASSWORDS_IN_ALL or recent.count(address) >= WRONG_PASSWORDS

    def note(self, address):
        self.latest.append((time.monotonic(), address))


async def decide(request):
    form = await read_form(request, CONSENT_LIMIT)
    asked = read_consent(request, form)
    redirect_host = host_in_words(asked.redirect_uri)
    if form.get("decision") == "deny":
        audit("authorize.denied", request, redirect_host=redirect_host)
        return redirect(303, asked.redirect_uri, asked.state, error="access_denied", error_description="it was denied")
    if form.get("decision") != "allow":
        raise Refused("invalid_request", "decision must be allow or deny", "malformed")
    if owner_password:
        address = request.client.host if request.client is not None else None
        if running.wrong_passwords.are_too_many(address):
            audit("authorize.refused", request, reason="too_many_passwords", redirect_host=redirect_host)
            answer = consent_page(request, asked, 429, "Too many wrong passwords: wait a minute.")
            answer.headers["Retry-After"] = "60"
            return answer
        if not is_same(form.get("password", ""), owner_password):
            running.wrong_passwords.note(address)
            audit("authorize.refused", request, reason="wrong_password", redirect_host=redirect_host)
            return consent_page(request, asked, 403, "That is not the password.")
    code = running.state.new_code(asked)
    audit("authorize.allowed", request, redirect_host=redirect_host)
    return redirect(303, asked.redirect_uri, asked.state, code=code)


async def authorize(request):
    try:
        if request.method == "POST":
            return await decide(request)
        return consent_page(request, read_authorization(single_values(request.scope["query_string"])))
    except Refused as refusal:
        audit("authorize.refused", request, reason=refusal.reason)
        return refuse_authorization(request, refusal)
    except ToClient as told:
        audit("authorize.refused", request, reason=told.error, redirect_host=host_in_words(told.redirect_uri))
        return redirect(302, told.redirect_uri, told.state, error=told.error, error_description=told.description)
    except sqlite3.Error as error:
        return state_failed(request, error)


# --- Tokens -----------------------------------------------------------------------------------------------------------


def basic_credentials(request):
    """Client id and secret of HTTP Basic; None where that is not used."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, password = base64.b64decode(encoded.strip(), validate=True).decode("utf-8").partition(":")
    except ValueError:
        return "", ""
    return name, password


def authenticate_client(request, form):
    """One method a request (RFC 6749 section 2.3); the name alone may be repeated in the form, as some clients do."""
    if len(request.headers.getlist("authorization")) > 1:
        raise Refused("invalid_request", "one Authorization header is expected", "two_methods")
    basic = basic_credentials(request)
    if basic is None:
        shown = [(form.get("client_id", ""), form.get("client_secret", ""))]
    else:
        # Section 2.3.1 has both form-encoded; the official clients send them as they are.
        shown = [basic, tuple(map(unquote_plus, basic))]
        if "client_secret" in form or form.get("client_id", basic[0]) not in (name for name, _ in shown):
            raise Refused("invalid_request", "client credentials are expected by one method alone", "two_methods")
    known = [is_same(name, secret["CLIENT_ID"]) for name, _ in shown]
    proven = [is_same(password, secret["CLIENT_SECRET"]) for _, password in shown]
    if not any(is_known and is_proven for is_known, is_proven in zip(known, proven)):
        reason = "wrong_secret" if any(known) else "unknown_client"
        raise Refused("invalid_client", "unknown client or wrong secret", reason, 401)


CODE_FIELDS = ("code", "redirect_uri", "code_verifier")


def problem_with_code(form):
    """What makes the request wrong, whatever code it shows; None where that depends on the code."""
    missing = [name for name in CODE_FIELDS if not form.get(name)]
    if missing:
        return Refused("invalid_request", ", ".join(missing) + (" is" if len(missing) == 1 else " are") + " missing")
    if re.fullmatch(r"[A-Za-z0-9._~-]{43,128}", form["code_verifier"]) is None:
        return Refused("invalid_request", "code_verifier must be 43 to 128 unreserved characters")
    return None


def grant(form):
    """The grant that a token request asks for, and its name."""
    kind = form.get("grant_type", "")
    if kind not in ("authorization_code", "refresh_token"):
        error = "unsupported_grant_type" if kind else "invalid_request"
        raise Refused(error, "grant_type must be authorization_code or refresh_token")
    other_resource = None
    if form.get("resource", mcp_url) != mcp_url:
        other_resource = Refused("invalid_target", "resource must be " + mcp_url)
    if kind == "authorization_code":
        code, redirect_uri, verifier = (form.get(name, "") for name in CODE_FIELDS)
        return running.state.redeem_code(code, redirect_uri, verifier, other_resource or problem_with_code(form))
    if other_resource is not None:
        raise other_resource
    token = form.get("refresh_token", "")
    if not token:
        raise Refused("invalid_request", "refresh_token is missing")
    # RFC 6749 section 6: not more than was granted. There is one scope, so what is granted is what there was.
    if not granted_scope(form.get("scope", "")):
        raise Refused("invalid_scope", "the scope of this server is " + SCOPE)
    return running.state.refresh(token)


def access_token(granted):
    """RFC 9068, for the exact MCP URL."""
    now = int(time.time())
    claims = {
        "iss": public_url,
        "aud": mcp_url,
        "sub": "owner",
        "client_id": secret["CLIENT_ID"],
        "scope": granted.scope,
        "iat": now,
        "exp": now + ACCESS_LIFETIME,
        "jti": token_urlsafe(12),
        "sid": granted.connection,
    }
    return jwt.encode(claims, secret["TOKEN_SECRET"], algorithm="HS256", headers={"typ": "at+jwt"})


async def token(request):
    try:
        form = await read_form(request)
        if form is None:
            words = "a form of at most %d bytes with single parameters is expected" % FORM_LIMIT
            raise Refused("invalid_request", words, "malformed")
        authenticate_client(request, form)
        granted = grant(form)
    except Refused as refusal:
        audit(
            "token.refused", request, error=refusal.error, reason=refusal.reason, connection=refusal.connection
        )
        headers = {"WWW-Authenticate": 'Basic realm="mcp"'} if refusal.status == 401 else None
        return oauth_error(refusal.status, refusal.error, refusal.description, headers)
    except sqlite3.Error as error:
        return state_failed(request, error)
    audit("token.issued", request, grant=form["grant_type"], connection=granted.connection)
    return oauth_answer(
        200,
        {
            "access_token": access_token(granted),
            "token_type": "Bearer",
            "expires_in": ACCESS_LIFETIME,
            "refresh_token": granted.refresh_token,
            "scope": granted.scope,
        },
    )


def state_failed(request, error):
    """A full disk, most likely. Nothing is used up: what was begun is undone."""
    audit("state.failed", request, reason=str(error))
    if not isinstance(error, sqlite3.OperationalError):
        # The file is damaged: opened anew, it is looked at, and set aside where that is true.
        with suppress(sqlite3.Error, OSError):
            running.state.close()
            running.state = State(os.environ.get("STATE_DIRECTORY"))
    words = "the server cannot write its state; see its journal"
    return oauth_error(503, "temporarily_unavailable", words, {"Retry-After": "30"})


# --- Access -----------------------------------------------------------------------------------------------------------


def is_known_origin(origin):
    """Pages may not use a browser's place in the network (DNS rebinding). Who is no browser sends none."""
    if origin in known_origins:
        return True
    try:
        parts = urlsplit(origin)
        return parts.scheme in ("http", "https") and is_loopback(parts.hostname)
    except ValueError:
        return False


def read_access_token(bearer):
    """The claims. @raises Refused unless it was issued here, to this client, for this server, and still holds"""
    words = "the access token is not valid here, or no longer"
    try:
        if len(bearer) > TOKEN_LIMIT:
            raise Refused("invalid_token", words, "malformed", 401)
        claims = jwt.decode(
            bearer,
            secret["TOKEN_SECRET"],
            algorithms=["HS256"],
            audience=mcp_url,
            issuer=public_url,
            # Not when it was issued: a clock that was set back would refuse what was given a moment ago.
            options={"require": ["exp", "iat", "aud", "iss", "client_id"], "verify_iat": False},
        )
    except (jwt.PyJWTError, RecursionError) as error:
        raise Refused("invalid_token", words, reason_of(error), 401) from None
    if claims["client_id"] != secret["CLIENT_ID"]:
        raise Refused("invalid_token", words, "other_client", 401)
    connection = claims.get("sid")
    if connection is not None and running.state.has_ended(str(connection)):
        raise Refused("invalid_token", words, "ended", 401, str(connection))
    if SCOPE not in str(claims.get("scope", "")).split():
        raise Refused("insufficient_scope", "the scope %s is needed" % SCOPE, status=403)
    return claims


def reason_of(error):
    """`expired_signature` for an ExpiredSignatureError: PyJWT's own names, without anything of the token."""
    name = type(error).__name__.removesuffix("Error")
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def check_access(request):
    """The claims of a request that may pass. @raises Refused"""
    if not all(is_known_origin(origin) for origin in request.headers.getlist("origin")):
        raise Refused("invalid_origin", "requests from that web page are not accepted", status=403)
    shown = request.headers.getlist("authorization")
    if len(shown) > 1 or b"access_token" in request.scope["query_string"]:
        words = "the access token is expected once, in the Authorization header"
        raise Refused("invalid_request", words, "token_elsewhere")
    scheme, _, bearer = (shown[0] if shown else "").partition(" ")
    if scheme.lower() != "bearer":
        raise Refused("unauthorized", "an access token is needed", "no_token", 401)
    return read_access_token(bearer.strip())


def refuse_access(request, refusal):
    """RFC 6750 section 3, RFC 9728 section 5.1. No error code where no token was shown."""
    audit("mcp.refused", request, status=refusal.status, reason=refusal.reason, connection=refusal.connection)
    challenge = 'Bearer resource_metadata="%s", scope="%s"' % (METADATA_URL, SCOPE)
    if refusal.error in ("invalid_token", "insufficient_scope", "invalid_request"):
        challenge += ', error="%s", error_description="%s"' % (refusal.error, refusal.description)
    headers = {} if refusal.error == "invalid_origin" else {"WWW-Authenticate": challenge}
    return oauth_error(refusal.status, refusal.error, refusal.description, headers)


# --- Forwarding -------------------------------------------------------------------------------------------------------

# What a client and an MCP server tell each other in headers; beside these what begins with `mcp-`. Nothing else passes,
# the client's token least of all.
TO_BACKEND = ("accept", "content-type", "last-event-id")
TO_CLIENT = (b"allow", b"cache-control", b"content-encoding", b"content-length", b"content-type", b"retry-after")


class Left(Exception):
    """The client has gone: nobody reads an answer."""


class Incoming:
    """A request's body as it comes, within its limits, and then the moment when its client leaves."""

    def __init__(self, request, receive):
        self.receive = receive
        self.patience = body_timeout
        self.size = 0
        self.head = b""
        self.is_whole = asyncio.Event()
        self.is_post = request.method == "POST"
        length = request.headers.get("content-length", "")
        is_known = length.isdecimal() and "transfer-encoding" not in request.headers
        self.length = int(length[:20]) if is_known else None

    def check_size(self, size):
        if size > BODY_LIMIT:
            raise Refused("too_large", "the request is larger than %d bytes" % BODY_LIMIT, status=413)

    async def next(self):
        began = time.monotonic()
        try:
            async with asyncio.timeout(self.patience):
                message = await self.receive()
        except TimeoutError:
            raise too_slow() from None
        self.patience -= time.monotonic() - began
        if message["type"] == "http.disconnect":
            raise Left
        chunk = message.get("body", b"")
        self.size += len(chunk)
        self.check_size(self.size)
        if not message.get("more_body", False):
            self.is_whole.set()
        return chunk

    async def read_head(self):
        """The beginning; everything where the rest cannot be a stream, as its length is not known or nobody reads it."""
        self.check_size(self.length or 0)
        is_stream = self.is_post and self.length is not None
        parts = []
        while not (self.is_whole.is_set() or is_stream and self.size >= READ_AHEAD):
            parts.append(await self.next())
        self.head = b"".join(parts)

    async def stream(self):
        yield self.head
        while not self.is_whole.is_set():
            yield await self.next()

    async def until_left(self):
        await self.is_whole.wait()
        while (await self.receive())["type"] != "http.disconnect":
            pass


class Ended(Exception):
    """The client has left, or the service is being stopped."""


async def unless(ends, work):
    """The result of `work`. Where one of `ends` comes first, `work` is cancelled and over before Ended is raised."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task, *ends}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise Ended
        return task.result()
    finally:
        if not task.done():
            task.cancel()
            with suppress(asyncio.CancelledError, httpx.HTTPError, Left, Refused):
                await task


class Streams:
    """Requests that are open, by their connection: they end with it."""

    def __init__(self):
        self.of = {}

    @contextmanager
    def open(self, connection, expires):
        """A future that is resolved when the connection is ended, or at `expires` (seconds since 1970; None: never)."""
        loop = asyncio.get_running_loop()
        over = loop.create_future()
        beside = self.of.setdefault(connection, set())
        beside.add(over)
        timer = None if expires is None else loop.call_later(expires - time.time(), resolve, over)
        try:
            yield over
        finally:
            if timer is not None:
                timer.cancel()
            beside.discard(over)
            if not beside:
                self.of.pop(connection, None)

    def end(self, connection):
        for over in self.of.get(connection, ()):
            resolve(over)


def resolve(future):
    if not future.done():
        future.set_result(None)


class Forwarded(Response):
    """Sends a request to the backend and passes its answer on; lets go of the backend as soon as the client leaves.

    Not a StreamingResponse: that one does not notice a client that leaves on Debian 13, and on Debian 12 it cancels
    whatever would close the connection to the backend.
    """

    def __init__(self, request, claims):
        super().__init__()
        self.request = request
        self.connection = claims.get("sid")
        self.expires = claims["exp"]
        self.has_begun = False
        self.is_event_stream = False
        self.is_resumable = False

    async def __call__(self, scope, receive, send):
        self.incoming = Incoming(self.request, receive)
        left = None
        try:
            await self.incoming.read_head()
            left = asyncio.ensure_future(self.incoming.until_left())
            # Streams that a client listens on end at once when the service stops, or with their token; requests may finish.
            listens = self.request.method == "GET"
            stop = running.stopping if listens else running.grace_over
            with running.streams.open(self.connection, self.expires if listens else None) as over:
                await unless({left, stop, over}, self.exchange(send))
        except Left:
            pass
        except Refused as refusal:
            event = "backend.failed" if refusal.error == "backend" else "mcp.refused"
            await self.fail(scope, receive, send, refusal.status, refusal.description, event, refusal.reason)
        except httpx.HTTPError as error:
            words = "the MCP server broke off" if self.has_begun else "the MCP server does not answer"
            await self.fail(scope, receive, send, 502, words, "backend.failed", type(error).__name__)
        except TimeoutError:
            words = "the MCP server did not begin to answer within %d seconds" % backend_timeout
            await self.fail(scope, receive, send, 504, words, "backend.failed", "timeout")
        except Ended:
            if over.done():
                await self.fail(scope, receive, send, 401, "the connection was ended, or its token has expired")
            elif not left.done():
                await self.fail(scope, receive, send, 503, "the proxy is being restarted; try again")
        finally:
            if left is not None:
                left.cancel()

    async def fail(self, scope, receive, send, status, words, event=None, reason=None):
        """Tells the client in whatever form it can still be told."""
        if event is not None:
            audit(event, self.request, status=status, reason=reason, connection=self.connection)
        if not self.has_begun:
            headers = {"Retry-After": "1"} if status == 503 else {}
            if not self.incoming.is_whole.is_set():
                headers["Connection"] = "close"
            await rpc_error(status, words, self.incoming.head, headers)(scope, receive, send)
        elif self.is_event_stream:
            # Who can resume does so, and gets the answer itself. Whoever waits and cannot is told, or waits for ever.
            waiting = [] if self.is_resumable else request_ids(self.incoming.head)
            events = ["event: message\ndata: %s\n\n" % json.dumps(rpc_object(number, words)) for number in waiting]
            # A line break before them ends an event that was cut off.
            last = ("\n\n" + "".join(events)).encode() if events else b""
            await send({"type": "http.response.body", "body": last})
        # Anything else was cut off in the middle: it is left without its end, so that it is not taken for whole.

    def outgoing(self):
        headers = {
            name: value.encode("latin-1")
            for name, value in self.request.headers.items()
            if name in TO_BACKEND or name.startswith("mcp-")
        }
        headers["authorization"] = "Bearer " + secret["MCP_TOKEN"]
        headers["accept-encoding"] = "identity"
        content = None
        if self.request.method == "POST":
            is_whole = self.incoming.is_whole.is_set()
            content = self.incoming.head if is_whole else self.incoming.stream()
            if not is_whole:
                headers["content-length"] = str(self.incoming.length)
        return running.client.build_request(self.request.method, backend_url, headers=headers, content=content)

    async def exchange(self, send):
        async with asyncio.timeout(backend_timeout):
            upstream = await running.client.send(self.outgoing(), stream=True)
        try:
            status = upstream.status_code
            if status in (401, 403):
                # Passed on, it would tell the client that its own token is bad, and to log in again for ever.
                raise Refused("backend", "the MCP server refuses MCP_TOKEN", "backend_refuses_token", 502)
            if status > 599:
                raise Refused("backend", "the MCP server answers with a status that is none", "backend_status", 502)
            if 300 <= status < 400 and "location" in upstream.headers:
                words = "the MCP server redirects elsewhere (%d); BACKEND_URL has to be its exact address" % status
                raise Refused("backend", words, "backend_redirects", 502)
            await self.pass_on(upstream, send)
        finally:
            # To its end, whoever cancels meanwhile: a connection that was half given back stays in httpx's pool for ever.
            await asyncio.shield(upstream.aclose())

    async def pass_on(self, upstream, send):
        headers = [
            (name.lower(), value)
            for name, value in upstream.headers.raw
            if name.lower() in TO_CLIENT or name.lower().startswith(b"mcp-")
        ]
        if "mcp-session-id" in upstream.headers and "mcp-session-id" not in self.request.headers:
            audit("mcp.session", self.request, connection=self.connection)
        self.is_event_stream = upstream.headers.get("content-type", "").startswith("text/event-stream")
        if self.is_event_stream:
            headers.append((b"x-accel-buffering", b"no"))  # To an nginx that the installer does not write.
        self.has_begun = True
        await send({"type": "http.response.start", "status": upstream.status_code, "headers": headers})
        tail = b"\n"
        # Not aiter_raw, which closes the answer itself, and stops half-way where the client has left by then.
        async for chunk in upstream.stream:
            if self.is_event_stream and not self.is_resumable:
                tail += chunk
                self.is_resumable = re.search(rb"[\r\n]id:", tail) is not None
                tail = tail[-3:]
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


async def mcp(request):
    try:
        return Forwarded(request, check_access(request))
    except Refused as refusal:
        return refuse_access(request, refusal)
    except sqlite3.Error as error:
        return state_failed(request, error)


# --- The application --------------------------------------------------------------------------------------------------


class Running:
    """What lives as long as the service does."""

    client = None
    state = None
    stopping = None
    grace_over = None
    wrong_passwords = Attempts()
    streams = Streams()


running = Running()
app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
app.router.redirect_slashes = False  # A redirect would be made of the request's Host.


async def healthz(request):
    return PlainTextResponse("ok\n")


AUTHORIZATION_SERVER = "/.well-known/oauth-authorization-server"
OPENID = "/.well-known/openid-configuration"
PROTECTED_RESOURCE = "/.well-known/oauth-protected-resource"

for path, methods, answer in (
    ("/healthz", ["GET", "HEAD"], healthz),
    *((PROTECTED_RESOURCE + end, ["GET", "HEAD"], protected_resource_metadata) for end in ("", "/mcp")),
    *(
        (start + name + end, ["GET", "HEAD"], authorization_server_metadata)
        for name in (AUTHORIZATION_SERVER, OPENID)
        for start, end in (("", ""), ("", "/mcp"), ("/mcp", ""))
    ),
    ("/authorize", ["GET", "POST"], authorize),
    ("/token", ["POST"], token),
    ("/mcp", ["GET", "POST", "DELETE"], mcp),
):
    app.add_route(path, answer, methods)
    app.routes[-1].methods.intersection_update(methods)  # Starlette adds HEAD where GET is.


@app.on_event("startup")
async def start():
    timeout = httpx.Timeout(None, connect=CONNECT_TIMEOUT)
    # Every open stream holds a connection: a limit (httpx has one of 100) would let them lock out everybody else.
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=20, keepalive_expiry=KEEP_IDLE)
    # trust_env: a proxy variable in the environment must not see the backend's token.
    # A jar that takes nothing: what the backend tells one client it would be told by all others.
    cookies = CookieJar(policy=DefaultCookiePolicy(allowed_domains=()))
    running.client = httpx.AsyncClient(timeout=timeout, limits=limits, trust_env=False, cookies=cookies)
    running.state = State(os.environ.get("STATE_DIRECTORY"))
    running.stopping = asyncio.get_running_loop().create_future()
    running.grace_over = asyncio.get_running_loop().create_future()
    stop_gently_on_sigterm()
    audit("started", owner_password=bool(owner_password))


@app.on_event("shutdown")
async def stop():
    await running.client.aclose()
    running.state.close()


def stop_gently_on_sigterm():
    """uvicorn waits for open streams for ever, and closes connections whose request is just coming in.

    So streams are ended at once, no connection is accepted any more (new ones wait in systemd's socket for the next
    process), and uvicorn hears of the signal a little later, when those that were accepted have brought their requests.
    """
    loop = asyncio.get_running_loop()
    in_loop = getattr(loop, "_signal_handlers", {}).get(signal.SIGTERM)
    in_process = signal.getsignal(signal.SIGTERM)
    # uvicorn before 0.29 has its handler in the loop. Either is a method of its server.
    handler = in_process if in_loop is None else in_loop._callback
    server = getattr(handler, "__self__", None)

    def stop_gently():
        # Not closed: asyncio would drop what it has accepted and not yet set up.
        for listening in getattr(server, "servers", ()):
            for sock in listening.sockets:
                loop.remove_reader(sock.fileno())
        resolve(running.stopping)
        loop.call_later(LINGER, handler, signal.SIGTERM, None)
        loop.call_later(GRACE, resolve, running.grace_over)
        # Who still waits for the backend, or does not read what it is sent, is cut off.
        loop.call_later(STOP_LIMIT, os._exit, 0)

    if in_loop is not None:
        loop.add_signal_handler(signal.SIGTERM, stop_gently)
    elif callable(in_process):
        signal.signal(signal.SIGTERM, lambda number, frame: loop.call_soon_threadsafe(stop_gently))


class LastAnswers:
    """On a stop each answer is the last of its connection, and says so."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        async def send_last(message):
            if message["type"] == "http.response.start" and running.stopping.done():
                message = {**message, "headers": [*message.get("headers", ()), (b"connection", b"close")]}
            await send(message)

        await self.app(scope, receive, send_last if scope["type"] == "http" else send)


app.add_middleware(LastAnswers)


@app.exception_handler(ClientDisconnect)
async def client_left(request, error):
    """It left before its request was complete: nobody reads an answer."""
    return Response(status_code=400)


@app.exception_handler(HTTPException)
async def not_here(request, error):
    """No such address, or not by that method."""
    if error.status_code == 405 and request.url.path == "/mcp":
        return rpc_error(405, "POST, GET and DELETE are answered here", headers=error.headers)
    code = "not_found" if error.status_code == 404 else "invalid_request"
    return oauth_error(error.status_code, code, str(error.detail), error.headers)


@app.exception_handler(Exception)
async def failed(request, error):
    """A fault of ours: uvicorn writes its trace, which holds no values, to the journal."""
    return oauth_error(500, "server_error", "the server failed; see its journal")
