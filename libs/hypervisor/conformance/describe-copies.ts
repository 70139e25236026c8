import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { VolumeCopy } from '../port/disks.ts';
import { type ConformanceContext, planServer, type ServerPlan } from './conformance-context.ts';
import { refusedAs } from './refused-as.ts';

const run = promisify(execFile);

/** Copies of disks that stand on nothing, and their way here. Needs the context's image on its host. */
export function describeCopies(context: () => ConformanceContext): void {
  describe('copies of disks', () => {
    let folder: string;
    let plan: ServerPlan;
    let copy: VolumeCopy;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'servery-copies-'));
      plan = planServer(context());
      copy = { volumeName: 'flat.qcow2', fromVolumeName: plan.overlay.volumeName, format: 'qcow2' };
      await context().hypervisor.createOverlay(context().host, plan.overlay);
    });

    afterAll(async () => {
      const { hypervisor, host } = context();
      await hypervisor.deleteVolume(host, copy.volumeName);
      await hypervisor.deleteVolume(host, plan.overlay.volumeName);
      await rm(folder, { recursive: true, force: true });
    });

    it('are made once, however often they are asked for', async () => {
      const { hypervisor, host } = context();
      await hypervisor.flattenVolume(host, copy);
      await hypervisor.flattenVolume(host, copy);
      expect(await hypervisor.listVolumes(host, 'disks')).toContainEqual(
        expect.objectContaining({ name: copy.volumeName, capacityBytes: 1024 ** 3 }),
      );
    });

    it('arrive here as whole disks that stand on nothing and that we alone may read', async () => {
      const { hypervisor, host } = context();
      const path = join(folder, 'flat.qcow2');
      const progress: number[] = [];
      const onProgress = (done: number, total: number) => progress.push(done / total);
      await writeFile(path, 'what was here before');
      await hypervisor.downloadVolume(host, copy.volumeName, path, { onProgress });
      expect(await readdir(folder)).toEqual(['flat.qcow2']);
      expect((await stat(path)).mode & 0o777).toBe(0o600);
      const { stdout } = await run('qemu-img', ['info', '-f', 'qcow2', '--output', 'json', path]);
      const info = JSON.parse(stdout);
      expect(info['virtual-size']).toBe(1024 ** 3);
      expect(info).not.toHaveProperty('backing-filename');
      await run('qemu-img', ['check', '-f', 'qcow2', path]);
      expect(progress.at(-1)).toBe(1);
    });

    it('are made of images too, byte by byte', async () => {
      const { hypervisor, host, image } = context();
      const path = join(folder, 'image');
      await hypervisor.downloadImage(host, image.volumeName, path);
      await hypervisor.importImage(host, { ...image, volumeName: 'brought-back', path });
      await hypervisor.deleteImage(host, 'brought-back');
      await rm(path);
      const missing = hypervisor.downloadImage(host, 'nonesuch', path);
      await expect(missing).rejects.toEqual(refusedAs('image_missing'));
    });

    it('are not made of what is not there, nor brought, and leave nothing', async () => {
      const { hypervisor, host } = context();
      const missing = { ...copy, volumeName: 'other.qcow2', fromVolumeName: 'nonesuch' };
      await expect(hypervisor.flattenVolume(host, missing)).rejects.toEqual(refusedAs('volume_missing'));
      const path = join(folder, 'nonesuch');
      await expect(hypervisor.downloadVolume(host, 'nonesuch', path)).rejects.toEqual(
        refusedAs('volume_missing'),
      );
      expect(await readdir(folder)).toEqual(['flat.qcow2']);
      expect((await hypervisor.listVolumes(host, 'disks')).map(({ name }) => name)).not.toContain(
        'other.qcow2',
      );
    });

    it('have names that cannot be mistaken', async () => {
      const { hypervisor, host } = context();
      for (const volumeName of ['-rf', '../x', copy.fromVolumeName]) {
        await expect(hypervisor.flattenVolume(host, { ...copy, volumeName })).rejects.toEqual(
          refusedAs('invalid_spec'),
        );
      }
      await expect(hypervisor.downloadVolume(host, '../x', join(folder, 'x'))).rejects.toEqual(
        refusedAs('invalid_spec'),
      );
    });

    it('are not made of a disk that a running guest writes to', async () => {
      const { hypervisor, host } = context();
      const { uuid } = plan.domain;
      const { seedVolume: _none, ...domain } = plan.domain;
      await hypervisor.defineDomain(host, domain);
      await hypervisor.startDomain(host, uuid);
      try {
        const other = { ...copy, volumeName: 'of-a-running-one.qcow2' };
        await expect(hypervisor.flattenVolume(host, other)).rejects.toEqual(refusedAs('volume_in_use'));
        expect((await hypervisor.listVolumes(host, 'disks')).map(({ name }) => name)).not.toContain(
          other.volumeName,
        );
      } finally {
        await hypervisor.undefineDomain(host, uuid);
      }
    });
  });
}
