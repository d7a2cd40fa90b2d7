/** A service by description with everything that is optional, on a host: a socket of systemd's, and a site of nginx. */
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { suites } from '../hosts/support/base.ts';
import { createHost } from '../hosts/support/host.ts';
import { expectAnswering, expectExit } from '../hosts/support/observe.ts';

const files: Readonly<Record<string, string>> = {
  'hello.py': `import os, socket
from http.server import BaseHTTPRequestHandler, HTTPServer

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "6")
        self.end_headers()
        self.wfile.write(b"hello\\n")

server = HTTPServer(("127.0.0.1", 0), Handler, bind_and_activate=False)
server.socket = socket.socket(fileno=3)
server.serve_forever()
`,
  'hello.service': `[Unit]
Requires={{name}}.socket
After={{name}}.socket
[Service]
ExecStart=/usr/bin/python3 -B {{codeDirectory}}/hello.py
EnvironmentFile={{envFile}}
DynamicUser=yes
[Install]
WantedBy=multi-user.target
`,
  'hello.socket': `[Socket]
ListenStream=127.0.0.1:{{PORT}}
[Install]
WantedBy=sockets.target
`,
  'site.conf': `server {
    listen 80;
    server_name {{DOMAIN}};
    {{marker}}
    location / { proxy_pass http://127.0.0.1:{{PORT}}; }
}
`,
  'hello.json': JSON.stringify({
    name: 'hello',
    description: 'says hello',
    unit: 'hello.service',
    socket: 'hello.socket',
    port: 'PORT',
    health: ['/'],
    packages: ['python3'],
    secrets: [{ name: 'HELLO_KEY', purpose: 'nothing', afterRotation: 'Nothing.', format: 'alphanumeric' }],
    settings: [
      { key: 'PORT', type: 'port', description: 'loopback port', default: 8090 },
      { key: 'DOMAIN', type: 'host', description: 'public name' },
    ],
    files: [{ path: '/usr/local/lib/hello/hello.py', from: 'hello.py' }],
    nginx: { site: 'site.conf', port: 80, serverName: 'DOMAIN' },
  }),
};

describe.each(suites)('%s', (suite) => {
  test('a socket and a site: fresh, again, moved to another port, a site that nginx refuses put back', async () => {
    await using host = await createHost({ suite, name: 'served' });
    expectExit(await host.installer([]), 0);
    for (const [name, text] of Object.entries(files)) await host.write(path.join('/opt/hello', name), text);
    const product = ['--product', '/opt/hello/hello.json'];
    const page = (): Promise<string> =>
      host.must('curl -s -H "Host: hello.example.org" http://127.0.0.1:80/');

    expectExit(await host.installer([...product, '--domain', 'hello.example.org']), 0);
    expect(await page()).toBe('hello');
    expect(await host.must('systemctl is-active hello.socket hello.service')).toBe('active\nactive');
    expect(expectExit(await host.installer(product), 0).output).toContain('[OK] Nothing to do');
    expectExit(await host.installer(['status', ...product]), 0);

    const moved = expectExit(await host.installer([...product, '--port', '9090']), 0);
    expect(moved.output).toContain('restarted hello.socket and restarted hello.service');
    expect(await page()).toBe('hello');

    const site = host.read('/etc/nginx/sites-available/hello.conf');
    await host.must("sed -i 's/listen 80;/listen 80; no_such_thing;/' /opt/hello/site.conf");
    const refused = expectExit(await host.installer(product), 12);
    expect(refused.output).toContain('E_CONFIG_REJECTED');
    expect(host.read('/etc/nginx/sites-available/hello.conf')).toBe(site);
    expect(await page()).toBe('hello');

    await expectAnswering(host);
    expectExit(await host.installer(['status']), 0);
  });
});
