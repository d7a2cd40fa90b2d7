/**
 * The units. No value of a user's stands in them but the port, which is a number: nothing has to be escaped for systemd,
 * whose own checker accepts injected lines.
 */
import type { Names } from './names.ts';

/** For whoever reads lists of units. */
const named = (instance: string | null): string => (instance === null ? '' : ` (${instance})`);

/**
 * The socket is systemd's: nobody else can take the port while the service is down, and connections wait during a
 * restart instead of being refused.
 */
export const socketUnit = (
  { instance }: Names,
  port: number,
): string => `# Written by mcp-installer; a change made here is noticed and kept.
[Unit]
Description=Socket of the OAuth proxy for MCP${named(instance)}

[Socket]
ListenStream=127.0.0.1:${port}
NoDelay=true
Backlog=512

[Install]
WantedBy=sockets.target
`;

export interface UnitOptions {
  /** A backend elsewhere needs the network; on this machine the service is kept on loopback. */
  readonly remoteBackend: boolean;
}

const loopbackOnly = `IPAddressDeny=any
IPAddressAllow=localhost
`;

/** systemd 252 rates it 1.0 or better with a loopback backend (\`systemd-analyze security\`). */
export const serviceUnit = (
  names: Names,
  { remoteBackend }: UnitOptions,
): string => `# Written by mcp-installer; a change made here is noticed and kept.
[Unit]
Description=OAuth proxy for MCP${named(names.instance)}
Requires=${names.socket}
After=${names.socket} network.target
StartLimitIntervalSec=60
StartLimitBurst=5

[Service]
Type=simple
# --fd 3: the socket that systemd holds. -B: the code's directory is not the service's to write. Loop and parser are named,
# so that a package of the host's (uvloop, httptools) does not change them. No access log: the service writes audit lines.
ExecStart=/usr/bin/python3 -B -m uvicorn --fd 3 --app-dir ${names.codeDirectory} --loop asyncio --http h11 --ws none --lifespan on --no-server-header --no-access-log oauth_proxy:app
EnvironmentFile=${names.envFile}
Restart=on-failure
RestartSec=1
# Open streams must not hold up a restart.
TimeoutStopSec=4

DynamicUser=yes
StateDirectory=${names.name}
StateDirectoryMode=0700
UMask=0077

${remoteBackend ? '' : loopbackOnly}RestrictAddressFamilies=AF_INET AF_INET6
SocketBindDeny=any
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
PrivateUsers=yes
PrivateMounts=yes
PrivateIPC=yes
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
ProtectProc=invisible
ProcSubset=pid
RemoveIPC=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
LimitCORE=0
# An open stream takes two: one towards the client, one towards the backend. systemd's default is 1024.
LimitNOFILE=65536

[Install]
WantedBy=multi-user.target
`;
