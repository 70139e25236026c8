import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createWriteStream, openAsBlob } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createExportResponse,
  exportResponse,
  type ImageWire,
  imageResponse,
  importImageResponse,
} from '#libs/contracts';
import {
  ask,
  deleteServers,
  findServers,
  finished,
  fromEnvironment,
  getServer,
  type Key,
  onServer,
  order,
  registerKey,
  send,
} from './stack.fixture.ts';

const run = promisify(execFile);
const SECTOR_BYTES = 512;

/**
 * The server of `up` is taken home and brought back as what many bring along: a Linux that has no cloud-init and no guest
 * agent, which take nothing from here. Keys are put into it on the way, and a server of it answers.
 */
describe('a disk that is brought along', () => {
  const name = `import-${randomUUID().slice(0, 8)}`;
  let folder: string;
  let key: Key;
  let disk: string;
  let image: ImageWire;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'servery-imported-'));
    key = await registerKey(name);
  });
  afterAll(async () => {
    await deleteServers([name]);
    if (image) await send('DELETE', `/images/${image.id}`);
    await send('DELETE', `/ssh_keys/${key.id}`);
    await rm(folder, { recursive: true, force: true });
  });

  it('comes from a server that was exported, less what knows us', async () => {
    const [demo] = await findServers('demo');
    const wanted = { format: 'qcow2' };
    const made = await ask(createExportResponse, 'POST', `/servers/${demo?.id}/exports`, wanted);
    await finished(made.action.id);
    const path = `/exports/${made.export.id}`;
    const { download } = (await ask(exportResponse, 'GET', path)).export;
    const answer = await fetch(String(download?.url));
    if (!answer.body) throw new Error(`the download answered ${answer.status}`);
    await pipeline(answer.body, createWriteStream(join(folder, 'exported.qcow2')));
    await send('DELETE', path);
    disk = await withoutCloudInit(folder, 'exported.qcow2');
  });

  it('becomes an image, which says what was found in it and what was put into it', async () => {
    const form = new FormData();
    for (const [field, value] of Object.entries({ name, format: 'vmdk', ssh_keys: name }))
      form.set(field, value);
    form.set('file', await openAsBlob(disk), 'disk.vmdk');
    const answer = await fetch(`${fromEnvironment('SERVERY_URL')}/v1/images/import`, {
      method: 'POST',
      headers: { authorization: `Bearer ${fromEnvironment('HCLOUD_TOKEN')}` },
      body: form,
    });
    const started = importImageResponse.parse(await answer.json());
    await finished(started.action.id);
    ({ image } = await ask(imageResponse, 'GET', `/images/${started.image.id}`));
    expect(image.servery).toMatchObject({
      devices: { firmware: 'bios', disk_bus: 'virtio', nic_model: 'virtio' },
      verification: 'identity',
      import: {
        boot: { bios: true, uefi: true },
        guest: { os_id: 'debian', cloud_init: false, guest_agent: false, reads_seed: true },
        ssh_keys: 1,
      },
    });
  });

  it('makes a server that shows the identity that we made, and lets the key in', async () => {
    const { server, action } = await order({ name, server_type: 's1', image: image.id, ssh_keys: [key.id] });
    await finished(action.id);
    const ready = await getServer(server.id);
    expect(ready.servery).toMatchObject({ ready: true, verification: 'identity' });
    const { privateKey } = key;
    const seen = await onServer(ready, { privateKey }, 'hostname; systemctl is-active servery-first-boot');
    expect(seen).toBe(`${name}\nactive`);
  });
});

/** A disk whose system has neither cloud-init at work nor a guest agent, and no SSH identity of its own. */
async function withoutCloudInit(folder: string, exported: string): Promise<string> {
  const path = join(folder, 'disk.raw');
  await run('qemu-img', ['convert', '-f', 'qcow2', '-O', 'raw', join(folder, exported), path]);
  await rm(join(folder, exported));
  const { stdout } = await run('sfdisk', ['--json', path]);
  const { partitions }: { partitions: { start: number; size: number }[] } = JSON.parse(stdout).partitiontable;
  const [root] = partitions.toSorted((a, b) => b.size - a.size);
  const commands = join(folder, 'commands');
  await writeFile(
    commands,
    [
      'write /dev/null /etc/cloud/cloud-init.disabled',
      'rm /usr/sbin/qemu-ga',
      'rm /etc/ssh/ssh_host_ed25519_key',
      'rm /root/.ssh/authorized_keys',
    ].join('\n'),
  );
  const offset = (root?.start ?? 0) * SECTOR_BYTES;
  await run('debugfs', ['-w', '-f', commands, `${path}?offset=${offset}`]);
  // As a raw disk it would be uploaded with all that is empty on it.
  const brought = join(folder, 'disk.vmdk');
  await run('qemu-img', [
    'convert',
    '-f',
    'raw',
    '-O',
    'vmdk',
    '-o',
    'subformat=streamOptimized',
    path,
    brought,
  ]);
  return brought;
}
