import { randomUUID } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { OUR_DEVICES } from '../port/devices.ts';
import type { HostRef } from '../port/hosts.ts';
import { LibvirtHypervisor } from './index.ts';

const SECRETS = {
  hostKey: '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmU\n',
  passwordHash: '$6$saltsaltsalt$6HashOfTheFirstPassword',
  customersOwn: 'customers-own-secret-of-user-data',
  newPassword: 'Reset-Password-9xQ2mVtR',
};
const ENVELOPE_KEY = 'the-envelope-key-of-this-installation';

const host: HostRef = {
  id: 1,
  name: 'kvm-1',
  uri: 'qemu:///system',
  domainType: 'qemu',
  imagePool: 'images',
  diskPool: 'disks',
  bridge: 'br0',
};

/** Stands in for virsh and writes down what any user of the machine could see of it, and what came to it unseen. */
const recorder = (folder: string) => `#!/bin/sh
printf '%s\\n' "$@" >> '${folder}/seen'
tr '\\0' '\\n' < /proc/$$/environ >> '${folder}/seen'
printf 'virsh # '
while IFS= read -r line; do
  printf '%s\\n' "$line" | tee -a '${folder}/unseen'
  file=$(expr "$line" : '.*"--file" "\\([^"]*\\)"')
  case "$line" in
    'echo --err '*) printf 'error: %s\\n' "\${line#echo --err }" >&2 ;;
    'echo '*) printf '%s' "\${line#echo }" ;;
    '"define"'*) cat "$file" > '${folder}/domain.xml'; cat '${folder}/domain.xml' >> '${folder}/unseen' ;;
    *'"--file"'*) cat "$file" >> '${folder}/unseen' ;;
    '"dumpxml"'*) cat '${folder}/domain.xml' 2> /dev/null || echo "error: Domain not found" >&2 ;;
    '"vol-list"'*) echo ' disk.qcow2   /disks/disk.qcow2'; echo ' seed.img     /disks/seed.img' ;;
    *) echo '{"return":{}}' ;;
  esac
  printf 'virsh # '
done
`;

let folder: string;
const before = { PATH: process.env.PATH, SERVERY_SECRET_KEY: process.env.SERVERY_SECRET_KEY };

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'servery-argv-'));
  writeFileSync(join(folder, 'virsh'), recorder(folder));
  chmodSync(join(folder, 'virsh'), 0o755);
  process.env.PATH = `${folder}${delimiter}${before.PATH}`;
  process.env.SERVERY_SECRET_KEY = ENVELOPE_KEY;
});

afterAll(() => {
  for (const [name, value] of Object.entries(before)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  rmSync(folder, { recursive: true, force: true });
});

/** A secret as it stands and as it is written for others to read. */
function shapesOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const lines = secret.split('\n').filter((line) => line !== '');
  return [...lines, bytes.toString('base64').replaceAll('=', ''), bytes.toString('hex')];
}

it('gives no secret to an argument or the environment of virsh, in provisioning or in a reset of the password', async () => {
  using hypervisor = new LibvirtHypervisor({ installationId: randomUUID() });
  const uuid = randomUUID();
  await hypervisor.createSeed(host, {
    volumeName: 'seed.img',
    metaData: { 'instance-id': 'servery-1-1' },
    networkConfig: { version: 2 },
    userData: SECRETS.customersOwn,
    vendorData: {
      users: [{ name: 'root', hashed_passwd: SECRETS.passwordHash }],
      ssh_keys: { ed25519_private: SECRETS.hostKey },
    },
  });
  await hypervisor.defineDomain(host, {
    uuid,
    name: 'servery-1',
    serverId: 1,
    vcpus: 1,
    memoryMib: 512,
    diskVolume: 'disk.qcow2',
    seedVolume: 'seed.img',
    mac: '52:54:00:12:34:56',
    ipv4: '10.99.0.10',
    ...OUR_DEVICES,
  });
  await hypervisor.startDomain(host, uuid);
  await hypervisor.agentSetPassword(host, uuid, 'root', SECRETS.newPassword);

  const seen = readFileSync(join(folder, 'seen'), 'utf8');
  for (const part of [host.uri, 'PATH=']) expect(seen).toContain(part);
  const unseen = readFileSync(join(folder, 'unseen'), 'latin1');
  for (const command of ['vol-create', 'vol-upload', 'define', 'start'])
    expect(unseen).toContain(`"${command}"`);
  for (const secret of Object.values(SECRETS)) {
    // It did pass through here, so the next line can fail.
    expect(shapesOf(secret).some((shape) => unseen.includes(shape))).toBe(true);
    for (const shape of shapesOf(secret)) expect(seen).not.toContain(shape);
  }
  expect(seen).not.toContain(ENVELOPE_KEY);
});
