/** What starts a guest. `uefi` is OVMF, which a host may lack. */
export type Firmware = 'bios' | 'uefi';

/** What a guest finds its disk and its network on; it has to have the drivers. */
export interface Devices {
  readonly firmware: Firmware;
  /** Of its disk and its seed. `ide` comes with the older machine that has it (i440FX). */
  readonly diskBus: 'virtio' | 'sata' | 'ide';
  /** `e1000e` is its forerunner e1000 on the older machine, which has no PCI Express. */
  readonly nicModel: 'virtio' | 'e1000e';
}

/** What our own images start on. */
export const OUR_DEVICES: Devices = { firmware: 'bios', diskBus: 'virtio', nicModel: 'virtio' };
