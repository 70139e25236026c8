import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { renderSeed } from '#libs/hypervisor';
import { Server } from '#libs/servers';
import { type DiskOrigin, seedSpecOf } from './seed-spec.ts';

const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ6pRvqRv9TbF1nYQ1S0m0m9gJw1m0mS1dJ0c1mQn0aB owner';
const HASH = '$6$salt$hash';
const HOST_KEY = '-----BEGIN OPENSSH PRIVATE KEY-----\nours\n-----END OPENSSH PRIVATE KEY-----\n';
const address = {
  ip: '10.0.0.5',
  prefixLength: 24,
  gateway: '10.0.0.1',
  mac: '52:54:00:00:00:05',
  isHeld: true,
};
const server = Object.assign(new Server(), {
  id: 7,
  generation: 1,
  name: 'web-1',
  hostKey: 'ssh-ed25519 AAAAours',
  sshPublicKeys: [KEY],
});

interface Reading {
  readonly config: Record<string, unknown>;
  readonly users: Record<string, Record<string, unknown>>;
  readonly keys: string[];
  readonly scripts: string[];
}

/** What Debian's cloud-init makes of a server's seed. */
function read(userData?: string, origin: DiskOrigin = 'golden'): Reading {
  const folder = mkdtempSync(join(tmpdir(), 'servery-seed-'));
  try {
    const secrets = {
      hostKey: HOST_KEY,
      passwordHash: HASH,
      ...(userData === undefined ? {} : { userData }),
    };
    for (const { name, content } of renderSeed(seedSpecOf(server, address, secrets, origin))) {
      writeFileSync(join(folder, name), content);
    }
    const reader = fileURLToPath(new URL('../../test/support/cloud-init-reads.py', import.meta.url));
    return JSON.parse(execFileSync('/usr/bin/python3', [reader, folder], { encoding: 'utf8' }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const multipart = `Content-Type: multipart/mixed; boundary="theirs"
MIME-Version: 1.0

--theirs
Content-Type: text/cloud-config

#cloud-config
users: [{ name: bob }]
packages: [git]
--theirs
Content-Type: text/x-shellscript

#!/bin/sh
echo parts
--theirs--
`;

describe("a seed with its owner's user data", () => {
  it.each([
    ['nothing', undefined],
    ['users', '#cloud-config\nusers: [default, { name: bob, shell: /bin/sh }]\n'],
    ['a way to merge', '#cloud-config\nmerge_how: "list(append)+dict(no_replace)+str()"\nusers: [bob]\n'],
    [
      'host keys',
      '#cloud-config\nssh_deletekeys: false\nssh_keys: { ed25519_private: x, ecdsa_private: y }\n',
    ],
    ['no wish for vendor data', '#cloud-config\nvendor_data: { enabled: false }\n'],
    ['a template', '## template: jinja\n#cloud-config\npackages: [git]\n'],
    ['a script', '#!/bin/sh\n# MIME-Version: 1.0\necho hello\n'],
    ['several parts', multipart],
    ['a broken cloud-config', '#cloud-config\n{ broken\n'],
  ])('lets them in as root, by the host key that we know, where it says %s', (_what, userData) => {
    const { config, users, keys } = read(userData);
    expect(keys).toEqual([KEY]);
    expect(users.root).toMatchObject({ lock_passwd: false, hashed_passwd: HASH });
    expect(config).toMatchObject({
      ssh_deletekeys: true,
      ssh_keys: { ed25519_private: HOST_KEY, ed25519_public: server.hostKey },
    });
  });

  it('keeps their users, with their own keys for root', () => {
    const { users, config } = read(
      `#cloud-config\nusers: [default, { name: bob }, { name: root, ssh_authorized_keys: [theirs] }]\nruncmd: [a]\n`,
    );
    expect(Object.keys(users).toSorted()).toEqual(['bob', 'debian', 'root']);
    expect(users.root).toMatchObject({ ssh_authorized_keys: ['theirs'], hashed_passwd: HASH });
    expect(config).toMatchObject({ runcmd: ['a'], disable_root: false, hostname: 'web-1' });
  });

  it('is below their word where nothing of ours depends on it', () => {
    const { config } = read('#cloud-config\ndisable_root: true\nhostname: other\n');
    expect(config).toMatchObject({ disable_root: true, hostname: 'other' });
  });

  it('is done beside what makes a disk that was used a new machine', () => {
    const { config } = read('#cloud-config\nbootcmd: [[echo, theirs]]\n', 'used');
    const [theirs, ours] = config.bootcmd as string[][];
    expect(theirs).toEqual(['echo', 'theirs']);
    expect(ours?.at(-1)).toContain('systemd-machine-id-setup');
  });

  it('leaves scripts and parts as they are', () => {
    const script = '#!/bin/sh\n# MIME-Version: 1.0\necho größer\n';
    expect(read(script).scripts).toEqual([script]);
    const { config, users, scripts } = read(multipart);
    expect([config.packages, Object.keys(users).toSorted()]).toEqual([['git'], ['bob', 'root']]);
    expect(scripts.join('')).toContain('echo parts');
  });
});
