import type { ExportSubject } from './manifest.ts';

/** A server to take home, whose words want escaping. */
export const subject: ExportSubject = {
  name: 'shop.example',
  vcpus: 3,
  memoryMib: 1536,
  firmware: ['bios', 'uefi'],
  network: { mac: '52:54:00:12:34:56', ipv4: '10.0.2.15' },
  image: {
    name: 'web',
    title: 'Web <server> & more',
    version: '12',
    osFlavor: 'debian',
    licence: 'BSD-2-Clause; "see" <copyright> & co',
    sha256: 'a'.repeat(64),
  },
  frozenAt: '2026-03-04T05:06:07.000Z',
  frozenHow: 'consistent',
};
