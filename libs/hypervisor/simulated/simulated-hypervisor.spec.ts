import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeHypervisor, ISO_TEXT } from '../conformance/index.ts';
import type { ImageFile } from '../port/images.ts';
import { cutPower, SimulatedFleet, SimulatedGuestReach, SimulatedHypervisor } from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'servery-simulated-'));

function imageFile(
  volumeName: string,
  virtualSizeBytes: number,
  text = `the bytes of ${volumeName}`,
): ImageFile {
  const path = join(folder, `${volumeName}.img`);
  const bytes = Buffer.from(text);
  writeFileSync(path, bytes);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { volumeName, path, format: 'qcow2', sha256, virtualSizeBytes };
}

describeHypervisor(
  'a simulated fleet',
  async () => {
    const fleet = new SimulatedFleet(join(folder, 'fleet'));
    fleet.addHost('sim1', { bootMs: 50 });
    for (const name of ['near1', 'near2']) fleet.addHost(name, { diskStorage: 'nas' });
    fleet.addHost('dead', { unreachable: true });
    return {
      hypervisor: new SimulatedHypervisor(fleet, 'here', ['10.77.0.2']),
      stranger: new SimulatedHypervisor(fleet, 'elsewhere'),
      reach: new SimulatedGuestReach(fleet),
      host: fleet.hostRef('sim1', 1),
      sharing: [fleet.hostRef('near1', 3), fleet.hostRef('near2', 4)],
      cutPower: async () => cutPower(fleet, 'sim1'),
      deadHost: fleet.hostRef('dead', 2),
      image: imageFile('small', 64 * 1024 ** 2),
      largeImage: imageFile('large', 3 * 1024 ** 3),
      isoImage: { ...imageFile('disc', 2048, ISO_TEXT), format: 'raw' },
      network: { address: '10.77.0.60', prefixLength: 24, gateway: '10.77.0.1' },
      outside: { refused: '10.77.0.1', allowed: '10.77.0.2', port: 7000 },
      bootSeconds: 5,
    };
  },
  async () => rmSync(folder, { recursive: true }),
);
