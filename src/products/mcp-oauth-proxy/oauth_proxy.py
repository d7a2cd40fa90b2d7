"""mcp-oauth-proxy: lets OAuth clients reach an MCP server that knows nothing of OAuth.

Settings and secrets come from the environment alone, in production from the unit's EnvironmentFile=. Runs on what
Debian 12 and 13 ship: FastAPI 0.92 and 0.115, uvicorn 0.17 and 0.32, httpx 0.23 and 0.28, PyJWT 2.6 and 2.10.

Left out on purpose: python-multipart. Forms are parsed by urllib.parse, because one request with a crafted
Content-Type hangs the version that Debian 12 ships.
"""

import asyncio
import base64
import binascii
import hmac
import os
import signal
import time
from contextlib import suppress
from urllib.parse import parse_qs, unquote_plus

import httpx
import jwt
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse, StreamingResponse

SECRETS = ("MCP_TOKEN", "CLIENT_ID", "CLIENT_SECRET", "TOKEN_SECRET")
TOKEN_LIFETIME = 3600  # seconds
FORM_LIMIT = 16 * 1024  # bytes; a token request is far smaller
CONNECT_TIMEOUT = 5.0  # seconds, towards the backend; reading has no limit, since streams stay open

# What a client and an MCP server tell each other in headers; nothing else passes, the client's token least of all.
TO_BACKEND = ("accept", "content-type", "mcp-protocol-version", "mcp-session-id", "last-event-id")
TO_CLIENT = ("content-type", "cache-control", "mcp-session-id")


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


secret = read_secrets()
public_url = read_public_url()
mcp_url = public_url + "/mcp"
backend_url = os.environ.get("BACKEND_URL") or "http://127.0.0.1:8000/mcp"

app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)


class Running:
    """What lives as long as the service does."""

    client = None
    stopping = None


running = Running()


@app.on_event("startup")
async def start():
    timeout = httpx.Timeout(None, connect=CONNECT_TIMEOUT)
    # trust_env: a proxy variable in the environment must not see the backend's token.
    running.client = httpx.AsyncClient(timeout=timeout, trust_env=False, follow_redirects=False)
    running.stopping = asyncio.Event()
    end_streams_on_sigterm()


@app.on_event("shutdown")
async def stop():
    await running.client.aclose()


def end_streams_on_sigterm():
    """Older uvicorn waits for open streams for ever: they are ended as soon as the service is told to stop."""
    loop = asyncio.get_running_loop()
    in_loop = getattr(loop, "_signal_handlers", {}).get(signal.SIGTERM)
    in_process = signal.getsignal(signal.SIGTERM)
    if in_loop is not None:  # uvicorn before 0.29
        loop.add_signal_handler(signal.SIGTERM, lambda: (running.stopping.set(), in_loop._run()))
    elif callable(in_process):

        def on_signal(number, frame):
            loop.call_soon_threadsafe(running.stopping.set)
            in_process(number, frame)

        signal.signal(signal.SIGTERM, on_signal)


@app.get("/healthz")
async def healthz():
    return PlainTextResponse("ok\n")


@app.get("/.well-known/oauth-authorization-server")
async def authorization_server_metadata():
    return {
        "issuer": public_url,
        "token_endpoint": public_url + "/token",
        "response_types_supported": [],
        "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
    }


@app.get("/.well-known/oauth-protected-resource")
@app.get("/.well-known/oauth-protected-resource/mcp")
async def protected_resource_metadata():
    return {"resource": mcp_url, "authorization_servers": [public_url], "bearer_methods_supported": ["header"]}


def oauth_answer(status, body, headers=None):
    return JSONResponse(body, status_code=status, headers={"Cache-Control": "no-store", **(headers or {})})


def oauth_error(status, code, description, headers=None):
    return oauth_answer(status, {"error": code, "error_description": description}, headers)


async def read_form(request):
    """The form as a dict of single values; None where it is too large or no form."""
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        return None
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_LIMIT:
            return None
    try:
        fields = parse_qs(body.decode("ascii"), keep_blank_values=True, max_num_fields=50)
    except ValueError:
        return None
    # RFC 6749 section 3.2: parameters must not be included more than once.
    if any(len(values) > 1 for values in fields.values()):
        return None
    return {name: values[0] for name, values in fields.items()}


def client_credentials(request, form):
    """Client id and secret by HTTP Basic (RFC 6749 section 2.3.1: form-encoded) or in the form."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            name, _, password = base64.b64decode(encoded, validate=True).decode("utf-8").partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return "", ""
        return unquote_plus(name), unquote_plus(password)
    return form.get("client_id", ""), form.get("client_secret", "")


def is_client(name, password):
    # Both are always compared, in constant time, so that an answer's time tells nothing.
    known = hmac.compare_digest(name.encode(), secret["CLIENT_ID"].encode())
    proven = hmac.compare_digest(password.encode(), secret["CLIENT_SECRET"].encode())
    return known and proven


@app.post("/token")
async def token(request: Request):
    form = await read_form(request)
    if form is None:
        return oauth_error(400, "invalid_request", "a form of at most 16 KiB with single parameters is expected")
    if not is_client(*client_credentials(request, form)):
        return oauth_error(
            401, "invalid_client", "unknown client or wrong secret", {"WWW-Authenticate": 'Basic realm="mcp"'}
        )
    grant = form.get("grant_type", "")
    if grant in ("authorization_code", "refresh_token"):
        return oauth_error(400, "invalid_grant", "no such grant was issued here")
    if grant != "client_credentials":
        return oauth_error(400, "unsupported_grant_type" if grant else "invalid_request", "grant_type is not supported")
    now = int(time.time())
    claims = {"iss": public_url, "aud": mcp_url, "sub": secret["CLIENT_ID"], "iat": now, "exp": now + TOKEN_LIFETIME}
    return oauth_answer(
        200,
        {
            "access_token": jwt.encode(claims, secret["TOKEN_SECRET"], algorithm="HS256"),
            "token_type": "Bearer",
            "expires_in": TOKEN_LIFETIME,
        },
    )


def is_token_valid(request):
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return False
    try:
        jwt.decode(
            bearer.strip(),
            secret["TOKEN_SECRET"],
            algorithms=["HS256"],
            audience=mcp_url,
            issuer=public_url,
            options={"require": ["exp", "aud", "iss"]},
        )
    except jwt.PyJWTError:
        return False
    return True


def unauthorized():
    hint = 'Bearer resource_metadata="%s/.well-known/oauth-protected-resource/mcp"' % public_url
    return oauth_error(401, "invalid_token", "a valid access token is needed", {"WWW-Authenticate": hint})


def backend_failure(message):
    error = {"jsonrpc": "2.0", "id": None, "error": {"code": -32000, "message": message}}
    return JSONResponse(error, status_code=502)


async def until_stopped(upstream):
    """The backend's bytes as they come; ends when the backend, the client or the service does."""
    chunks = upstream.aiter_raw().__aiter__()
    stopped = asyncio.ensure_future(running.stopping.wait())
    try:
        while True:
            chunk = asyncio.ensure_future(chunks.__anext__())
            await asyncio.wait({chunk, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if not chunk.done():
                chunk.cancel()
                with suppress(asyncio.CancelledError, httpx.HTTPError):
                    await chunk
                return
            try:
                yield chunk.result()
            except (StopAsyncIteration, httpx.HTTPError):
                return
    finally:
        stopped.cancel()
        await upstream.aclose()


@app.api_route("/mcp", methods=["GET", "POST", "DELETE"])
async def mcp(request: Request):
    if not is_token_valid(request):
        return unauthorized()
    headers = {name: request.headers[name] for name in TO_BACKEND if name in request.headers}
    headers["authorization"] = "Bearer " + secret["MCP_TOKEN"]
    headers["accept-encoding"] = "identity"
    content = request.stream() if request.method == "POST" else None
    outgoing = running.client.build_request(request.method, backend_url, headers=headers, content=content)
    try:
        upstream = await running.client.send(outgoing, stream=True)
    except httpx.HTTPError:
        return backend_failure("the MCP server does not answer")
    passed = {name: upstream.headers[name] for name in TO_CLIENT if name in upstream.headers}
    return StreamingResponse(until_stopped(upstream), status_code=upstream.status_code, headers=passed)
