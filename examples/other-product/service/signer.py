"""Signs what it is sent: POST /sign with the bearer API_KEY answers the HMAC of the body under SIGNING_KEY."""

import hashlib
import hmac
import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

with open(sys.argv[1], encoding="utf-8") as file:
    CONFIG = json.load(file)

API_KEY = os.environ["API_KEY"]
SIGNING_KEY = os.environ["SIGNING_KEY"].encode()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path == "/healthz":
            self.answer(200, {"issuer": CONFIG["issuer"]})
        else:
            self.answer(404, {"error": "not found"})

    def do_POST(self):
        if self.path != "/sign":
            self.answer(404, {"error": "not found"})
            return
        shown = self.headers.get("Authorization", "")
        if not hmac.compare_digest(shown.encode(), f"Bearer {API_KEY}".encode()):
            self.answer(401, {"error": "unauthorized"})
            return
        length = int(self.headers.get("Content-Length") or 0)
        if length > CONFIG["maxBytes"]:
            self.answer(413, {"error": "too large"})
            return
        signature = hmac.new(SIGNING_KEY, self.rfile.read(length), hashlib.sha256).hexdigest()
        self.answer(200, {"issuer": CONFIG["issuer"], "signature": signature})

    def log_message(self, format, *args):
        pass


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
