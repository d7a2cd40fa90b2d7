"""mcp-oauth-proxy: lets OAuth clients reach an MCP server that knows nothing of OAuth.

Settings and secrets come from the environment alone, in production from the unit's EnvironmentFile=. Runs on what
Debian 12 and 13 ship: FastAPI 0.92 and 0.115, uvicorn 0.17 and 0.32, httpx 0.23 and 0.28, PyJWT 2.6 and 2.10.

Left out on purpose: python-multipart. Forms are parsed by urllib.parse, because one request with a crafted
Content-Type hangs the version that Debian 12 ships.
"""

import asyncio
import base64
import hmac
import os
import signal
import time
from contextlib import suppress
from urllib.parse import parse_qs, unquote_plus

import httpx
import jwt
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from starlette.requests import ClientDisconnect

SECRETS = ("MCP_TOKEN", "CLIENT_ID", "CLIENT_SECRET", "TOKEN_SECRET")
TOKEN_LIFETIME = 3600  # seconds
FORM_LIMIT = 16 * 1024  # bytes; a token request is far smaller
BODY_LIMIT = 16 * 1024 * 1024  # bytes; the installer's nginx site allows less
CONNECT_TIMEOUT = 5.0  # seconds, towards the backend; reading has no limit, since streams stay open
STOP_LIMIT = 3.0  # seconds until a stop no longer waits for anybody; systemd would kill after 4

# What a client and an MCP server tell each other in headers; nothing else passes, the client's token least of all.
TO_BACKEND = ("accept", "content-type", "mcp-protocol-version", "mcp-session-id", "last-event-id")
TO_CLIENT = (b"content-type", b"cache-control", b"mcp-session-id")


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
    # Every open stream holds a connection: a limit (httpx has one of 100) would let them lock out everybody else.
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=20)
    # trust_env: a proxy variable in the environment must not see the backend's token.
    running.client = httpx.AsyncClient(timeout=timeout, limits=limits, trust_env=False, follow_redirects=False)
    running.stopping = asyncio.get_running_loop().create_future()
    end_streams_on_sigterm()


@app.on_event("shutdown")
async def stop():
    await running.client.aclose()


def end_streams_on_sigterm():
    """uvicorn waits for open streams for ever: they are ended as soon as the service is told to stop."""
    loop = asyncio.get_running_loop()
    in_loop = getattr(loop, "_signal_handlers", {}).get(signal.SIGTERM)
    in_process = signal.getsignal(signal.SIGTERM)

    def end_streams():
        if not running.stopping.done():
            running.stopping.set_result(None)
            # Who still waits for the backend, or does not read what it is sent, is cut off.
            loop.call_later(STOP_LIMIT, os._exit, 0)

    if in_loop is not None:  # uvicorn before 0.29
        loop.add_signal_handler(signal.SIGTERM, lambda: (end_streams(), in_loop._run()))
    elif callable(in_process):

        def on_signal(number, frame):
            loop.call_soon_threadsafe(end_streams)
            in_process(number, frame)

        signal.signal(signal.SIGTERM, on_signal)


@app.exception_handler(ClientDisconnect)
async def client_left(request, error):
    """It left before its request was complete: nobody reads an answer."""
    return Response(status_code=400)


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


async def read_body(request, limit):
    """The body; None where it is larger than `limit`."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            return None
    return bytes(body)


async def read_form(request):
    """The form as a dict of single values; None where it is too large or no form."""
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        return None
    body = await read_body(request, FORM_LIMIT)
    if body is None:
        return None
    try:
        fields = parse_qs(body.decode("ascii"), keep_blank_values=True, max_num_fields=50)
    except ValueError:
        return None
    # RFC 6749 section 3.2: parameters must not be included more than once.
    if any(len(values) > 1 for values in fields.values()):
        return None
    return {name: values[0] for name, values in fields.items()}


def basic_credentials(request):
    """Client id and secret of HTTP Basic (RFC 6749 section 2.3.1: form-encoded); None where that is not used."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, password = base64.b64decode(encoded.strip(), validate=True).decode("utf-8").partition(":")
    except ValueError:
        return "", ""
    return unquote_plus(name), unquote_plus(password)


def uses_two_methods(basic, form):
    """RFC 6749 section 2.3 forbids it. The name alone may be repeated in the form, as some clients do."""
    return basic is not None and ("client_secret" in form or form.get("client_id", basic[0]) != basic[0])


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
    basic = basic_credentials(request)
    if uses_two_methods(basic, form):
        return oauth_error(400, "invalid_request", "client credentials are expected by one method alone")
    if not is_client(*(basic or (form.get("client_id", ""), form.get("client_secret", "")))):
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


def rpc_error(status, message):
    error = {"jsonrpc": "2.0", "id": None, "error": {"code": -32000, "message": message}}
    return JSONResponse(error, status_code=status)


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
            with suppress(asyncio.CancelledError, StopAsyncIteration, httpx.HTTPError):
                await task


async def until_gone(receive):
    while (await receive())["type"] != "http.disconnect":
        pass


async def pass_on(upstream, ends, send):
    """The backend's answer as it comes, until the backend or one of `ends` ends it."""
    headers = [(name.lower(), value) for name, value in upstream.headers.raw if name.lower() in TO_CLIENT]
    await send({"type": "http.response.start", "status": upstream.status_code, "headers": headers})
    chunks = upstream.aiter_raw().__aiter__()
    with suppress(StopAsyncIteration, httpx.HTTPError, Ended):
        while True:
            chunk = await unless(ends, chunks.__anext__())
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


class Forwarded(Response):
    """Sends a request to the backend and passes its answer on; lets go of the backend as soon as the client leaves.

    Not a StreamingResponse: that one does not notice a client that leaves on Debian 13, and on Debian 12 it cancels
    whatever would close the connection to the backend.
    """

    def __init__(self, outgoing):
        super().__init__()
        self.outgoing = outgoing

    async def __call__(self, scope, receive, send):
        gone = asyncio.ensure_future(until_gone(receive))
        try:
            upstream = await unless({gone}, running.client.send(self.outgoing, stream=True))
        except httpx.HTTPError:
            await rpc_error(502, "the MCP server does not answer")(scope, receive, send)
        except Ended:
            pass
        else:
            try:
                if upstream.status_code in (401, 403):
                    # Passed on, it would tell the client that its own token is bad, and to log in again for ever.
                    await rpc_error(502, "the MCP server refuses MCP_TOKEN")(scope, receive, send)
                else:
                    await pass_on(upstream, {gone, running.stopping}, send)
            finally:
                await upstream.aclose()
        finally:
            gone.cancel()


@app.api_route("/mcp", methods=["GET", "POST", "DELETE"])
async def mcp(request: Request):
    if not is_token_valid(request):
        return unauthorized()
    # Read to its end before anything is sent: what the client sends after it can only be its leaving.
    body = await read_body(request, BODY_LIMIT)
    if body is None:
        return rpc_error(413, "the request is larger than %d bytes" % BODY_LIMIT)
    headers = {name: request.headers[name].encode("latin-1") for name in TO_BACKEND if name in request.headers}
    headers["authorization"] = "Bearer " + secret["MCP_TOKEN"]
    headers["accept-encoding"] = "identity"
    content = body if request.method == "POST" else None
    return Forwarded(running.client.build_request(request.method, backend_url, headers=headers, content=content))
